"""The plant's picture as the control API answers it: stations, and what flows between them."""

from __future__ import annotations

import msgspec


class StationState(msgspec.Struct, frozen=True):
    """What a station does, by the tag that says it."""

    tag: str
    value: int
    label: str = ""


class StationValue(msgspec.Struct, frozen=True):
    """A number that a station displays; None while its quality is bad."""

    tag: str
    title: str = ""
    value: float | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    quality: str = "Good"


class StationAlarm(msgspec.Struct, frozen=True):
    """An active alarm of a station."""

    alarm: str
    title: str = ""
    severity: int = 0


class Station(msgspec.Struct, frozen=True):
    """A device as the mimic shows it; without state and values where a face may not show them."""

    device: str
    type: str
    title: str = ""
    place: str | None = None
    state: StationState | None = None
    values: list[StationValue] = []
    alarms: list[StationAlarm] = []


class FlowInfo(msgspec.Struct, frozen=True, rename={"source": "from", "target": "to"}):
    """What flows from an outlet to an inlet (``device.port``); parts have a level and a capacity."""

    source: str
    target: str
    carries: str
    level: int | None = None
    capacity: int | None = None


class Mimic(msgspec.Struct, frozen=True):
    """The picture of the plant at plant time ``t``."""

    t: float = 0
    stations: list[Station] = []
    flows: list[FlowInfo] = []
