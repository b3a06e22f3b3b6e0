"""Reads the six values in six requests, as a simple loop does."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from asyncua import Client, Node, ua
from solution import Trainee, main

LOSES = {"values": 3, "restart": 4}


class OneByOne(Trainee):
    """A request for each value."""

    async def read(self, client: Client, nodes: list[Node]) -> list[ua.DataValue]:  # noqa: ARG002 - nodes know it
        """One after the other."""
        return [await node.read_data_value(raise_on_bad_status=False) for node in nodes]


if __name__ == "__main__":
    main(OneByOne)
