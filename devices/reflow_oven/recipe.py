"""A recipe: 24 numbers, their order, their checksum and what they must hold among themselves."""

from __future__ import annotations

import zlib

import numpy as np

from devices.reflow_oven.zones import ZONES, Row

SETPOINTS = tuple(f"zone{n}_setpoint" for n in range(1, ZONES + 1))
TOLERANCES = tuple(f"zone{n}_tolerance" for n in range(1, ZONES + 1))
PARAMETERS = (
    *SETPOINTS, *TOLERANCES, "conveyor_setpoint", "cooling_fan", "oxygen_limit", "peak_low", "peak_high", "liquidus_low",
    "liquidus_high", "ramp_limit",
)  # fmt: skip
"""The 24 parameters in the order of the checksum."""
STAGED = {f"staged_{name}": name for name in PARAMETERS}
"""Active parameter by the name of its place in the download buffer."""
NEIGHBOURS_K = 80.0
"""Neighbouring zones cannot be further apart."""


def checksum(values: Row) -> str:
    """CRC-32 (ISO 3309) over the parameters as big-endian float32 in their order, as 8 hexadecimal digits."""
    return f"{zlib.crc32(values.astype('>f4').tobytes()):08X}"


def possible(values: Row) -> bool:
    """Whether the zones are not too far apart and every window has its low end below its high one."""
    of = dict(zip(PARAMETERS, values.tolist(), strict=True))
    apart = float(abs(np.diff(values[:ZONES])).max())
    return apart <= NEIGHBOURS_K and of["peak_low"] < of["peak_high"] and of["liquidus_low"] < of["liquidus_high"]
