"""Connects to the plain port, because it works too."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from typing import Any

from paho.mqtt.client import Client as Mqtt
from solution import Trainee, main

LOSES = {"tls": 3}


class NoTls(Trainee):
    """Leaves the certificate where it is."""

    def url(self, client: Mqtt) -> Any:  # noqa: ARG002 - nothing to set up
        """The plain one."""
        return next(url for url in self.brokers if url.scheme == "mqtt")


if __name__ == "__main__":
    main(NoTls)
