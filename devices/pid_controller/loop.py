"""A PID loop with a proportional band, as panel controllers have it."""

from __future__ import annotations

import math
from dataclasses import dataclass

DERIVATIVE_FILTER = 8.0
"""The derivative acts on the measured value through a first-order filter of Td over this."""

LEAST_DERIVATIVE_S = 1e-3
"""A derivative time up to this is none."""


@dataclass(slots=True)
class Tuning:
    """Proportional band in the unit of the value, integral and derivative time in s (0: off), cutback (0: off), direct action."""

    band: float
    integral_s: float
    derivative_s: float
    cutback_low: float = 0.0
    cutback_high: float = 0.0
    direct: bool = False


class Loop:
    """Output in % = 100 / band x (error + integral + derivative), within limits and without windup.

    Attributes:
        output: The last output in %.
    """

    def __init__(self) -> None:
        self.output = 0.0
        self._integral = 0.0  # in % of output
        self._filtered: float | None = None

    def hold(self, output: float, error: float, tuning: Tuning) -> None:
        """Somebody else sets the output; the integral follows, so that taking over makes no bump."""
        self.output = output
        sign = -1.0 if tuning.direct else 1.0
        self._integral = output - 100 / tuning.band * sign * error
        self._filtered = None

    def advance(self, dt: float, setpoint: float, value: float, tuning: Tuning, low: float, high: float) -> float:
        """The output after ``dt`` s; ``low`` and ``high`` are its limits in %."""
        gain = 100 / tuning.band * (-1.0 if tuning.direct else 1.0)
        error = setpoint - value
        if self._filtered is None:
            self._filtered = value
        slope = 0.0
        if tuning.derivative_s > LEAST_DERIVATIVE_S:
            lag = tuning.derivative_s / DERIVATIVE_FILTER
            moved = (value - self._filtered) * (1 - math.exp(-dt / lag))
            slope = moved / dt
            self._filtered += moved
        fixed = gain * (error - tuning.derivative_s * slope)
        if 0 < tuning.cutback_low < error or 0 < tuning.cutback_high < -error:
            # far away: full output, and the integral stands where the output begins to move at the cutback
            edge = tuning.cutback_low if error > 0 else -tuning.cutback_high
            self.output = high if gain * error > 0 else low
            self._integral = self.output - gain * edge
            return self.output
        if tuning.integral_s > 0:
            step = gain * error * dt / tuning.integral_s
            total = fixed + self._integral + step
            if not (total > high and step > 0) and not (total < low and step < 0):  # no windup beyond the limits
                self._integral += step
            self._integral = min(max(self._integral, low - high), high - low)
        else:
            self._integral = 0.0
        self.output = min(max(fixed + self._integral, low), high)
        return self.output
