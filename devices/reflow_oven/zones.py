"""The heated zones: first order each, coupled to their neighbours, under a PI controller each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ZONES = 8
GAIN_K, TAU_S = 3.6, 420.0
"""K that a percent of heat holds, and the time constant of a zone."""
COUPLING = 0.06
"""Part of the difference to each neighbour that a zone would take on."""
PROPORTIONAL, INTEGRAL_S = 2.0, 90.0
"""% per K and s: internal model control with a closed-loop time constant of about 60 s."""
RATING_KW = 6.0
Row = NDArray[np.float64]


class Zones:
    """Air temperatures and heater outputs.

    Attributes:
        celsius: True air temperature by zone.
        output: Heater output by zone, %.
    """

    def __init__(self, celsius: Row, ambient: float) -> None:
        self.celsius = celsius.copy()
        held = (celsius - ambient + COUPLING * self._pull(ambient)) / GAIN_K
        self.output = np.clip(held, 0.0, 100.0)
        self._integral = self.output.copy()

    def control(self, dt: float, setpoint: Row, measured: Row, usable: NDArray[np.bool_], heating: bool) -> None:
        """New outputs; a zone without a usable measurement keeps its output."""
        if not heating:
            self.output[:] = 0.0
            self._integral[:] = 0.0
            return
        error = np.where(usable, setpoint - measured, 0.0)
        wanted = PROPORTIONAL * error + self._integral
        push = PROPORTIONAL * error * dt / INTEGRAL_S
        self._integral += np.where(((wanted > 100) & (push > 0)) | ((wanted < 0) & (push < 0)), 0.0, push)
        self._integral.clip(0.0, 100.0, out=self._integral)
        self.output = np.where(usable, wanted.clip(0.0, 100.0), self.output)

    def advance(self, dt: float, ambient: float, strength: Row, load: Row) -> None:
        """Go on for ``dt`` s; ``strength`` is what is left of each heater, ``load`` what boards take, in K."""
        goal = ambient + GAIN_K * self.output * strength - COUPLING * self._pull(ambient) - load
        self.celsius += (goal - self.celsius) * dt / TAU_S

    def _pull(self, ambient: float) -> Row:
        """By zone, how much warmer it is than its two neighbours together; beyond the ends is the room."""
        around = np.concatenate(([ambient], self.celsius, [ambient]))
        pull: Row = 2 * self.celsius - around[:-2] - around[2:]
        return pull
