"""What an interface says about a port: which way, and what passes through it."""

from __future__ import annotations

from typing import Literal

from labsim.plant.spec import Spec
from labsim.text import Text

Carries = Literal["parts", "power", "air", "water", "coolant", "signals"]


class PortSpec(Spec):
    """A port of a device type; see `labsim.plant.flow`."""

    carries: Carries
    way: Literal["in", "out"]
    title: Text
