"""The feeder behind the meter as phasors: what three sources behind a line impedance give to a load."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass

from labsim.plant.flow import Supply

PHASES = (0, 1, 2)
MOST_DRAWN = 1.2
"""The most that joined machines draw, in units of the feeder's rated power: then its fuses would go."""
_TURN = tuple(cmath.exp(-2j * math.pi * k / 3) for k in PHASES)
_ROUNDS = 3  # the voltage drop is a few percent, so each round gains well over a digit


@dataclass(frozen=True, slots=True)
class Phasors:
    """Voltages to neutral (V) and currents towards the load (A) of L1 to L3, as RMS phasors."""

    voltage: tuple[complex, complex, complex]
    current: tuple[complex, complex, complex]

    def line_voltage(self, phase: int) -> float:
        """RMS voltage from ``phase`` to the next one, V."""
        return abs(self.voltage[phase] - self.voltage[(phase + 1) % 3])

    @property
    def neutral(self) -> float:
        """RMS current of the neutral, A: the vector sum of the phases."""
        return abs(sum(self.current))

    def power(self, phase: int) -> complex:
        """P + jQ of one phase in kW and kvar: U times the conjugate of I."""
        return self.voltage[phase] * self.current[phase].conjugate() / 1000


def drawn(supplies: Sequence[Supply]) -> float:
    """What the machines on a feeder draw together, W."""
    return 1000 * sum(supply.demand for supply in supplies)


def solve(source: list[float], impedance: complex, demand: list[complex]) -> Phasors:
    """Phasors for a load of ``demand`` (VA per phase) fed by ``source`` (V per phase, 0 when lost) through ``impedance``.

    Constant-power load by fixed-point iteration: I = conj(S / U), U = E - Z I.
    """
    voltages, currents = [0j, 0j, 0j], [0j, 0j, 0j]
    for k in PHASES:
        if source[k] == 0:
            continue
        behind = source[k] * _TURN[k]
        voltage, current = behind, 0j
        for _ in range(_ROUNDS):
            current = (demand[k] / voltage).conjugate()
            voltage = behind - impedance * current
        voltages[k], currents[k] = voltage, current
    return Phasors((voltages[0], voltages[1], voltages[2]), (currents[0], currents[1], currents[2]))
