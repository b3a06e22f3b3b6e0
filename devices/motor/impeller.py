"""A centrifugal machine, pump or fan, on a system with a resistance and perhaps a static part."""

from __future__ import annotations

import math
from dataclasses import dataclass

PUMP_KW = 1000 * 9.81 / 3.6e6
"""Hydraulic power in kW of 1 m³/h of water lifted by 1 m."""
FAN_KW = 1 / 3.6e6
"""Air power in kW of 1 m³/h raised by 1 Pa."""


@dataclass(frozen=True, slots=True)
class Point:
    """Where machine and system meet: flow in m³/h, rise (head in m or pressure in Pa), shaft power in kW."""

    flow: float
    rise: float
    power: float


@dataclass(frozen=True, slots=True)
class Impeller:
    """A machine whose curve follows the affinity laws: rise = n² ``shutoff`` - ``drop`` Q² at relative speed n.

    Attributes:
        shutoff: Rise at rated speed without flow.
        drop: Fall of the rise with the square of the flow.
        resistance: Rise that the system takes per square of the flow with its valve or damper open.
        idle_kw: Shaft power at rated speed without flow.
        efficiency: Of what is above idling.
        factor: Power in kW of one unit of flow times one of rise (`PUMP_KW`, `FAN_KW`).
    """

    shutoff: float
    drop: float
    resistance: float
    idle_kw: float
    efficiency: float
    factor: float

    def point(
        self, speed: float, opening: float = 1.0, static: float = 0.0, dry: bool = False, vapour: float = 0.0
    ) -> Point:
        """Duty point at relative ``speed``; ``opening`` 0 to 1 of the valve, ``static`` rise, ``dry`` without its fluid.

        With a share of ``vapour`` in its channels, 0 to 1, a pump lifts that much less and its shaft has that much less to do
        (breakdown of the head by cavitation, Gülich, Centrifugal Pumps, ch. 6).
        Backwards it moves nothing (a check valve or a flap closes) and takes its idle power.
        """
        idle = self.idle_kw * abs(speed) ** 3
        if dry:
            return Point(0.0, 0.0, 0.3 * idle)
        shutoff = self.shutoff * (1 - vapour)
        spare = speed * speed * shutoff - static
        if speed <= 0 or spare <= 0 or opening < 1e-3:
            return Point(0.0, speed * speed * shutoff if speed > 0 else 0.0, idle * (1 - vapour))
        resistance = self.resistance / opening**2
        flow = math.sqrt(spare / (self.drop + resistance))
        rise = static + resistance * flow * flow
        return Point(flow, rise, idle * (1 - vapour) + flow * rise * self.factor / self.efficiency)
