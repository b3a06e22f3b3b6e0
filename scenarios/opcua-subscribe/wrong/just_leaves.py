"""Closes the program and leaves session and subscription to the server."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import os
from typing import Any

from asyncua import Client
from solution import Trainee, main

LOSES = {"end": 2}


class JustLeaves(Trainee):
    """Pulls the plug."""

    async def leave(self, client: Client, subscription: Any) -> None:  # noqa: ARG002 - it does not care
        """Gone."""
        os._exit(0)


if __name__ == "__main__":
    main(JustLeaves)
