"""One analogue input: a signal as the raw number of its range, with state, peaks and alarms."""

from __future__ import annotations

from dataclasses import dataclass

NO_VALUE, OVER, UNDER, BURN_OUT = 1, 2, 4, 8
FULL = 65535


@dataclass(frozen=True, slots=True)
class Range:
    """An input range: its type code, its ends in the unit of the signal, and below what a wire is broken."""

    code: int
    low: float
    high: float
    break_below: float | None = None


RANGES = {
    "4-20 mA": Range(0x0180, 4.0, 20.0, break_below=2.0),
    "0-20 mA": Range(0x0182, 0.0, 20.0),
    "0-10 V": Range(0x0148, 0.0, 10.0),
    "Pt100": Range(0x03A4, -50.0, 150.0),
}


class Channel:
    """An input and what it remembers.

    Attributes:
        raw: 0 to 65535 over the range.
        state: 0 or NO_VALUE, OVER, UNDER, BURN_OUT.
        highest: The highest raw number since its reset.
        lowest: The lowest one.
    """

    def __init__(self) -> None:
        self.raw = self.state = 0
        self.highest, self.lowest = 0, FULL

    def convert(self, signal: float | None, kind: Range) -> None:
        """Take a signal; None is an open circuit that gives nothing."""
        if signal is None or (kind.break_below is not None and signal < kind.break_below):
            self.raw, self.state = 0, BURN_OUT | NO_VALUE
            return
        part = (signal - kind.low) / (kind.high - kind.low)
        self.state = OVER if signal > kind.high else UNDER if signal < kind.low else 0
        self.raw = round(FULL * min(max(part, 0.0), 1.0))
        self.highest, self.lowest = max(self.highest, self.raw), min(self.lowest, self.raw)
