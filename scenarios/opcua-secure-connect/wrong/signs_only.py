"""Signs every message and encrypts none: everybody on the wire can read along."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from asyncua import ua
from solution import Trainee, main

LOSES = {"channel": 4, "tonight": 6}


class SignsOnly(Trainee):
    """Half of it."""

    mode = ua.MessageSecurityMode.Sign


if __name__ == "__main__":
    main(SignsOnly)
