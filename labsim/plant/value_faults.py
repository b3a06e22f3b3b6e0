"""What each fault of the value layer does to its columns; `labsim.plant.fault_table` says what people know of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from labsim.plant import status
from labsim.plant.clock import STEP_NS
from labsim.plant.veil import Columns, Effect, Floats, Frame


@dataclass(frozen=True, slots=True)
class Onset:
    """A fault as it begins.

    Attributes:
        at: The columns it concerns; with a second tag (``with``) that one's column is the last.
        shown: What they show.
        true: What is true of them.
        low: Low ends of their ranges, NaN where there are none.
        high: High ends.
        random: Draws for this fault alone.
        begun_ns: Plant time.
        parameters: Its numbers, complete save for those that are a share of the range.
        shares: Those.
    """

    at: Columns
    shown: Floats
    true: Floats
    low: Floats
    high: Floats
    random: np.random.Generator
    begun_ns: int
    parameters: Mapping[str, float]
    shares: Mapping[str, float]

    @property
    def span(self) -> Floats:
        """Length of the range; the size of the value, at least 1, where there is none."""
        size = np.maximum(np.abs(np.nan_to_num(self.shown)), 1.0)
        return np.where(np.isnan(self.high - self.low), size, self.high - self.low)

    def size(self, name: str) -> Floats:
        """A parameter that is a share of the range unless it is given."""
        given = self.parameters.get(name)
        return self.span * self.shares[name] if given is None else np.full(len(self.at), given)

    def age_s(self, frame: Frame) -> float:
        """Seconds since it began."""
        return (frame.now_ns - self.begun_ns) / 1e9


Maker = Callable[[Onset], Effect]


def _of_value(change: Callable[[Onset, Floats, Frame], Floats]) -> Maker:
    """A fault that makes another value of each value, growing over ``ramp`` seconds."""

    def make(onset: Onset) -> Effect:
        ramp = onset.parameters.get("ramp", 0.0)

        def effect(frame: Frame) -> None:
            good = frame.value[onset.at]
            changed = change(onset, good, frame)
            part = 1.0 if ramp <= 0 else min(onset.age_s(frame) / ramp, 1.0)
            frame.value[onset.at] = changed if part >= 1.0 else good + part * (changed - good)

        return effect

    return make


def _gain(onset: Onset, value: Floats, _frame: Frame) -> Floats:
    return value * onset.parameters["factor"] + onset.parameters["by"]


def _drift(onset: Onset, value: Floats, frame: Frame) -> Floats:
    off = onset.size("rate") / 60 * onset.age_s(frame)
    most = onset.parameters.get("most")
    return value + (off if most is None else np.clip(off, -abs(most), abs(most)))


def _wave(onset: Onset, _value: Floats, frame: Frame) -> Floats:
    ranged = ~np.isnan(onset.high - onset.low)
    middle = np.where(ranged, (onset.high + onset.low) / 2, onset.shown)
    middle = np.full(len(onset.at), onset.parameters["centre"]) if "centre" in onset.parameters else middle
    return middle + onset.size("amplitude") * math.sin(2 * math.pi * onset.age_s(frame) / onset.parameters["period"])


def _saturated(onset: Onset, value: Floats, _frame: Frame) -> Floats:
    end = onset.high if onset.parameters["high"] else onset.low
    return np.where(np.isnan(end), value, end)


def _stuck(onset: Onset, _value: Floats, _frame: Frame) -> Floats:
    return np.full(len(onset.at), onset.parameters["value"]) if "value" in onset.parameters else onset.shown


def _inverted(onset: Onset, value: Floats, _frame: Frame) -> Floats:
    switch = (onset.low == 0) & (onset.high == 1)
    return np.where(switch, 1 - value, -value)


def _rollover(onset: Onset, value: Floats, _frame: Frame) -> Floats:
    return np.mod(value, onset.parameters["limit"])


def _with_status(maker: Maker, code: int) -> Maker:
    """The same, and the status says that something is wrong."""

    def make(onset: Onset) -> Effect:
        inner = maker(onset)

        def effect(frame: Frame) -> None:
            inner(frame)
            frame.status[onset.at] = code

        return effect

    return make


def _by_turns(apply: Callable[[Onset, Frame, Columns, Floats], None]) -> Maker:
    """A fault that comes by chance every ``every`` seconds on average and lasts ``lasting`` seconds each time."""

    def make(onset: Onset) -> Effect:
        until, sign = np.zeros(len(onset.at), np.int64), np.ones(len(onset.at))
        lasting_ns = round(onset.parameters["lasting"] * 1e9)

        def effect(frame: Frame) -> None:
            drawn, signs = onset.random.random(len(onset.at)), onset.random.random(len(onset.at))
            every = onset.parameters["every"]
            begins = (frame.now_ns >= until) & (drawn < (frame.dt / every if every > 0 else 1.0))
            until[begins] = frame.now_ns + max(lasting_ns, 1)
            sign[begins] = np.where(signs[begins] < 0.5, -1.0, 1.0)
            on = frame.now_ns < until
            if on.any():
                apply(onset, frame, onset.at[on], sign[on] * onset.size("by")[on] if "by" in onset.shares else sign[on])

        return effect

    return make


def _spike(_onset: Onset, frame: Frame, at: Columns, size: Floats) -> None:
    frame.value[at] += size


def _zero(_onset: Onset, frame: Frame, at: Columns, _size: Floats) -> None:
    frame.value[at] = 0.0


def _lost(onset: Onset, frame: Frame, at: Columns, _size: Floats) -> None:
    frame.status[at] = status.BAD_NO_COMMUNICATION
    if onset.parameters["nan"]:
        frame.value[at] = np.nan
    else:
        frame.held[at] = True


def _lag(onset: Onset) -> Effect:
    slow = onset.shown.copy()
    share = 1 - math.exp(-STEP_NS / 1e9 / onset.parameters["tau"])

    def effect(frame: Frame) -> None:
        slow[:] += np.nan_to_num(frame.value[onset.at] - slow) * share
        frame.value[onset.at] = slow

    return effect


def _wire_break(onset: Onset) -> Effect:
    lowest = np.where(np.isnan(onset.low), 0.0, onset.low - onset.span / 4)  # 0 mA on a scale of 4 to 20 mA

    def effect(frame: Frame) -> None:
        frame.value[onset.at] = lowest
        frame.status[onset.at] = status.BAD_SENSOR_FAILURE

    return effect


def _swapped(onset: Onset) -> Effect:
    def effect(frame: Frame) -> None:
        frame.value[onset.at] = frame.value[onset.at[::-1]]

    return effect


def _held(onset: Onset) -> Effect:
    def effect(frame: Frame) -> None:
        frame.value[onset.at] = onset.shown
        frame.fresh[onset.at] = True

    return effect


def _stale(onset: Onset) -> Effect:
    def effect(frame: Frame) -> None:
        frame.held[onset.at] = frame.frozen[onset.at] = True
        frame.status[onset.at] = status.UNCERTAIN_LAST_USABLE_VALUE if onset.parameters["uncertain"] else status.GOOD

    return effect


def _counter_reset(onset: Onset) -> Effect:
    def effect(frame: Frame) -> None:
        frame.value[onset.at] -= onset.true

    return effect


MAKERS: dict[str, Maker] = {
    "stuck": _of_value(_stuck),
    "calibration": _of_value(_gain),
    "drift": _of_value(_drift),
    "offset": _of_value(lambda onset, value, _frame: value + onset.size("by")),
    "noise": _of_value(
        lambda onset, value, _frame: value + onset.size("deviation") * onset.random.standard_normal(len(onset.at))
    ),
    "spikes": _by_turns(_spike),
    "dropout": _by_turns(_lost),
    "held": _held,
    "wire-break": _wire_break,
    "saturated": _with_status(_of_value(_saturated), status.UNCERTAIN_SENSOR_NOT_ACCURATE),
    "quantised": _of_value(lambda onset, value, _frame: np.rint(value / onset.size("digit")) * onset.size("digit")),
    "lag": _lag,
    "unit-changed": _of_value(lambda onset, value, _frame: value * onset.parameters["factor"]),
    "swapped": _swapped,
    "inverted": _of_value(_inverted),
    "counter-reset": _counter_reset,
    "counter-rollover": _of_value(_rollover),
    "zero-read": _by_turns(_zero),
    "float32-stall": _of_value(lambda onset, value, _frame: np.minimum(value, onset.parameters["at"])),
    "saturated-16bit": _of_value(lambda onset, value, _frame: np.clip(value, -32768, onset.parameters["top"])),
    "simulation": _of_value(_wave),
    "stale": _stale,
}
"""What makes the effect of each fault of the value layer."""


def dead(at: Columns) -> Effect:
    """Nothing is heard of some columns any more."""

    def effect(frame: Frame) -> None:
        frame.held[at] = True
        frame.status[at] = status.BAD_NO_COMMUNICATION

    return effect


def wrong_clock(at: Columns, skew_ns: Callable[[int], int]) -> Effect:
    """Source times of some columns come from a clock that is wrong."""

    def effect(frame: Frame) -> None:
        frame.late_ns[at] += skew_ns(frame.now_ns)

    return effect
