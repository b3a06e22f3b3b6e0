"""Alarms of the plant: a pure engine over the tag store, evaluated after each step.

The states are those of OPC 10000-9 §5 (enabled, active, acknowledged, confirmed, shelved), which other protocols show as far
as they have words for them. Nothing here reads a clock but the store's, so a run that is repeated repeats its alarms.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labsim.errors import UnknownNameError
from labsim.plant.alarm_spec import LEVELS, AlarmSpec, Level
from labsim.plant.events import EventLog, Occurrence
from labsim.plant.tags import Tag, TagStore
from labsim.text import Text, tr

Shelving = Literal["unshelved", "timed", "one-shot"]
Action = Literal["acknowledge", "confirm", "comment", "enable", "disable", "shelve", "unshelve"]
Refusal = Literal[
    "", "unknown-event", "disabled", "already-acknowledged", "already-confirmed", "not-acknowledged", "already-enabled",
    "already-disabled", "already-shelved", "not-shelved", "bad-time",
]  # fmt: skip
"""Why an action was refused; empty when it was done."""
SHELVED_AT_MOST_NS = 3_600_000_000_000
_BAD = 0x8000_0000
_NUMBERS_KEPT = 64

_BEYOND: dict[Level, Level] = {"hi": "hihi", "lo": "lolo"}
_NORMAL = tr("{title}: back to normal", "{title}：恢復正常", "{title}：恢复正常")
_DISABLED = tr("{title}: disabled", "{title}：已停用", "{title}：已停用")
LEVEL_NAMES: dict[Level, Text] = {
    "hihi": tr("high-high", "高高限", "高高限"),
    "hi": tr("high", "高限", "高限"),
    "lo": tr("low", "低限", "低限"),
    "lolo": tr("low-low", "低低限", "低低限"),
}


@dataclass(frozen=True, slots=True)
class AlarmState:
    """What an alarm looks like; a new one for each change.

    Attributes:
        alarm: Which one: ``device.name``.
        levels: Active limits, most severe first; empty for one without limits.
        t_ns: When the alarm became active or went back last; ``active_ns`` when it became active last.
        quality: Status of the tag's value.
        severity: Of the last event; ``last_severity`` of the one before.
        shelved_until_ns: End of a timed shelving.
        comment, user, comment_ns: The last remark, who made it and when.
    """

    alarm: str
    enabled: bool = True
    active: bool = False
    levels: tuple[Level, ...] = ()
    acknowledged: bool = True
    confirmed: bool = True
    shelving: Shelving = "unshelved"
    shelved_until_ns: int = 0
    t_ns: int = 0
    active_ns: int = 0
    acknowledged_ns: int = 0
    confirmed_ns: int = 0
    enabled_ns: int = 0
    quality: int = 0
    severity: int = 1
    last_severity: int = 1
    comment: str = ""
    user: str = ""
    comment_ns: int = 0

    @property
    def retain(self) -> bool:
        """Whether somebody must still care (OPC 10000-9 §5.5.2)."""
        return self.enabled and (self.active or not self.acknowledged or not self.confirmed)


class Alarm:
    """One alarm of one device: what the interface says of it, and how it stands.

    Attributes:
        state: How it stands now.
        last: Its last occurrence; None before the first.
        band: Between these two the value is within every limit.
        restless: Whether it must be looked at also while its tag stays as it is: a delay runs, or somebody did something.
    """

    def __init__(self, device: str, name: str, spec: AlarmSpec, tag: Tag, store: TagStore, log: EventLog) -> None:
        self.path, self.device, self.name, self.spec, self.tag = f"{device}.{name}", device, name, spec, tag
        self._store, self._log = store, log
        self.state = AlarmState(self.path, severity=spec.severity_of(()), last_severity=spec.severity_of(()))
        self.last: Occurrence | None = None
        self.restless = True
        self._levels = spec.levels
        lows = [limit for level, limit in spec.levels.items() if level in ("lo", "lolo")]
        highs = [limit for level, limit in spec.levels.items() if level in ("hi", "hihi")]
        # without limits, no value is within them
        self.band = (max(lows, default=-math.inf), min(highs, default=math.inf)) if spec.levels else (math.inf, 0.0)
        self._recent: deque[int] = deque(maxlen=_NUMBERS_KEPT)  # occurrences since it became active last
        self._met: dict[Level, bool] = dict.fromkeys(spec.levels, False)
        self._since: dict[Level, int] = {}

    @property
    def shelved_ns(self) -> int:
        """How long a timed shelving lasts from now on."""
        timed = self.state.shelving == "timed"
        return max(self.state.shelved_until_ns - self._store.now_ns, 0) if timed else 0

    # ---- the plant's side ----

    def chatter(self, period_ns: int) -> None:
        """Come and go by the clock in place of the tag, one change in each period."""
        active = self._store.now_ns // period_ns % 2 == 1
        if self.state.enabled and active != self.state.active:
            first = next(iter(self.spec.levels), None)
            self._transit(active, (first,) if active and first is not None else (), self._store.now_ns)

    def evaluate(self) -> None:
        """Look at the tag once, after a step."""
        self._look()
        self.restless = bool(self._since) or self.state.shelving == "timed"

    def _look(self) -> None:
        now, state = self._store.now_ns, self.state
        if state.shelving == "timed" and now >= state.shelved_until_ns:
            self._change(replace(self.state, shelving="unshelved", shelved_until_ns=0))
        if not state.enabled:
            return
        quality = int(self._store.status[self.tag.row])
        if quality != state.quality:
            self.state = replace(self.state, quality=quality)
            if self.state.retain and (quality ^ state.quality) & 0xC000_0000:
                self._change(self.state)  # a change of quality is told while somebody cares (OPC 10000-9 §5.5.2)
        if quality & _BAD:
            return  # nothing is known, so nothing changes
        value = float(self._store.value[self.tag.row])
        if self._levels:
            self._limits(value, now)
        else:
            self._settle("hi", self.spec.is_active(value), now)
        levels = tuple([level for level in LEVELS if self._met.get(level)])
        if self.spec.kind == "limit" and self.spec.exclusive:
            levels = levels[:1]
        active = bool(levels)
        shown = levels if self._levels else ()
        if active != self.state.active or shown != self.state.levels:
            self._transit(active, shown, now)

    def _limits(self, value: float, now: int) -> None:
        for level, limit in self._levels.items():
            back = self.spec.deadband if self._met[level] else 0.0
            above = level in ("hi", "hihi")
            self._settle(level, value > limit - back if above else value < limit + back, now)

    def _settle(self, level: Level, met: bool, now: int) -> None:
        """Take a crossing over when it has lasted long enough."""
        if met == self._met.get(level, False):
            self._since.pop(level, None)
            return
        since = self._since.setdefault(level, now)
        delay = self.spec.on_delay if met else self.spec.off_delay
        if now - since >= round(delay * 1e9):
            self._met[level] = met
            del self._since[level]

    def _transit(self, active: bool, levels: tuple[Level, ...], now: int) -> None:
        state, before = self.state, self.state.levels
        # From high-high back to high is no new alarm, from high to low is.
        rises = any(level not in before and _BEYOND.get(level) not in before for level in levels)
        begins = active and not state.active
        state = replace(state, active=active, levels=levels, t_ns=now)
        if begins or rises:
            state = replace(state, acknowledged=False, confirmed=True)
        if begins:
            state = replace(state, active_ns=now)
            self._recent.clear()
        if not active and state.shelving == "one-shot":
            state = replace(state, shelving="unshelved")
        if active:
            state = replace(state, last_severity=state.severity, severity=self.spec.severity_of(levels))
        self._change(state)

    def _change(self, state: AlarmState) -> None:
        """Take a new state and tell of it."""
        self.state = state
        number = self._log.next_number()
        self._recent.append(number)
        self.last = Occurrence(
            number, self._store.now_ns, self.device, self.name, self.message(), state.severity, alarm=state
        )
        self._log.add(self.last)

    def message(self) -> Text:
        """The present state in words."""
        title = self.spec.title
        if not self.state.enabled:
            return _DISABLED.format(title=title)
        if not self.state.active:
            return _NORMAL.format(title=title)
        said = self.spec.message or title
        if not self.state.levels:
            return said
        return Text(
            {
                lang: f"{said.say(lang)} ({LEVEL_NAMES[self.state.levels[0]].say(lang)})"
                for lang in ("en", "zh-Hant", "zh-Hans")
            }
        )

    # ---- what people do ----

    def act(
        self,
        action: Action,
        *,
        user: str = "",
        comment: str | None = None,
        number: int | None = None,
        seconds: float = 0,
    ) -> Refusal:
        """Do something with the alarm as a person does it.

        Args:
            action: What.
            user: Who.
            comment: A remark; None leaves the last one, "" clears it.
            number: The occurrence it is about: one since the alarm became active last; None is the last one.
            seconds: How long to shelve, in plant time; 0 until it is next inactive.

        Returns:
            "" when it was done, else why not.
        """
        refused = self._refusal(action, number, seconds)
        if refused:
            return refused
        state, now = self.state, self._store.now_ns
        if comment is not None:
            state = replace(state, comment=comment, user=user, comment_ns=now)
        match action:
            case "acknowledge":
                state = replace(state, acknowledged=True, confirmed=not self.spec.confirm, acknowledged_ns=now)
            case "confirm":
                state = replace(state, confirmed=True, confirmed_ns=now)
            case "enable":
                state = replace(state, enabled=True, enabled_ns=now)
            case "disable":
                state = replace(
                    state, enabled=False, enabled_ns=now, active=False, levels=(), acknowledged=True, confirmed=True
                )
                self._met = dict.fromkeys(self._met, False)
                self._since.clear()
            case "shelve" if seconds:
                state = replace(state, shelving="timed", shelved_until_ns=now + round(seconds * 1e9))
            case "shelve":
                state = replace(state, shelving="one-shot")
            case "unshelve":
                state = replace(state, shelving="unshelved", shelved_until_ns=0)
        self.restless = True
        self._change(state)
        return ""

    def _refusal(self, action: Action, number: int | None, seconds: float) -> Refusal:
        """Why an action cannot be done now (result codes of OPC 10000-9 §5.5.4 to §5.8.17)."""
        state = self.state
        if action == "enable":
            return "already-enabled" if state.enabled else ""
        if not state.enabled:
            return "already-disabled" if action == "disable" else "disabled"
        if number is not None and number not in self._recent:
            return "unknown-event"
        checks: dict[Action, tuple[tuple[bool, Refusal], ...]] = {
            "acknowledge": ((state.acknowledged, "already-acknowledged"),),
            "confirm": (
                (not state.acknowledged, "not-acknowledged"),
                (state.confirmed, "already-confirmed"),
            ),
            "shelve": (
                (not 0 <= seconds * 1e9 <= SHELVED_AT_MOST_NS, "bad-time"),
                (state.shelving == ("timed" if seconds else "one-shot"), "already-shelved"),
            ),
            "unshelve": ((state.shelving == "unshelved", "not-shelved"),),
        }
        return next((reason for wrong, reason in checks.get(action, ()) if wrong), "")


class Alarms:
    """All alarms of a plant, by ``device.name``.

    Attributes:
        stalled: Devices whose alarms are not looked at.
        flooding: Devices whose alarms come and go without end, with the nanoseconds between two changes.
    """

    def __init__(self, store: TagStore, log: EventLog) -> None:
        self.stalled: set[str] = set()
        self.flooding: dict[str, int] = {}
        self._store, self._log = store, log
        self._alarms: dict[str, Alarm] = {}
        self._all: list[Alarm] = []
        self._rows: NDArray[np.intp] = np.zeros(0, np.intp)
        self._value: NDArray[np.float64] = np.zeros(0)  # as they were looked at last
        self._quality: NDArray[np.uint32] = np.zeros(0, np.uint32)
        self._low: NDArray[np.float64] = np.zeros(0)
        self._high: NDArray[np.float64] = np.zeros(0)
        self._active: NDArray[np.bool_] = np.zeros(0, np.bool_)

    def __iter__(self) -> Iterator[Alarm]:
        return iter(self._alarms.values())

    def __len__(self) -> int:
        return len(self._alarms)

    def __getitem__(self, path: str) -> Alarm:
        """The alarm at ``device.name``; raises UnknownNameError with the nearest spelling."""
        alarm = self._alarms.get(path)
        if alarm is None:
            raise UnknownNameError("alarm", path, self._alarms)
        return alarm

    def add(self, device: str, specs: dict[str, AlarmSpec]) -> None:
        """The alarms of one device, whose tags are in the store."""
        for name, spec in specs.items():
            alarm = Alarm(device, name, spec, self._store[f"{device}.{spec.tag}"], self._store, self._log)
            self._alarms[alarm.path] = alarm
        self._all = list(self._alarms.values())
        self._rows = np.array([alarm.tag.row for alarm in self._all], np.intp)
        self._value, self._quality = np.full(len(self._all), np.nan), np.zeros(len(self._all), np.uint32)
        self._active = np.zeros(len(self._all), np.bool_)
        self._low, self._high = (np.array([alarm.band[end] for alarm in self._all]) for end in (0, 1))

    def evaluate(self) -> None:
        """Look, once after each step, at every alarm whose tag has changed, and at those that are restless."""
        value, quality = self._store.value[self._rows], self._store.status[self._rows]
        outside = (value < self._low) | (value > self._high)
        # an alarm that is not active stays so while its value moves within the limits
        moved = ((value != self._value) & (outside | self._active) | (quality != self._quality)).tolist()
        self._value, self._quality = value, quality
        odd = bool(self.stalled or self.flooding)
        for place, alarm in enumerate(self._all):
            if odd and alarm.device in self.stalled:
                alarm.restless = True
            elif odd and alarm.device in self.flooding:
                alarm.chatter(self.flooding[alarm.device])
                alarm.restless = True
            elif moved[place] or alarm.restless:
                alarm.evaluate()
                self._active[place] = alarm.state.active
