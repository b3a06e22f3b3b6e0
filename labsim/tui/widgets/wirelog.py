"""Entries of the feed, folded and broken into lines: what the wire shows, before anything is drawn."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from labsim.client.records import FeedEntry
from labsim.text import Text
from labsim.tui.wrap import wrap

Filter = Literal["all", "errors", "writes"]
FILTERS: tuple[Filter, ...] = ("all", "errors", "writes")
KEPT = 2000
REACH = 16
"""How many rows back a repetition is still recognised: a poll of several registers repeats in turn."""

LEVELS = {"error": ("✘", "$error"), "write": ("▸", "$primary"), "info": ("·", "$dim")}


@dataclass(slots=True)
class Row:
    """One entry, or one that came ``count`` times; ``entry`` is the latest."""

    key: tuple[str, ...]
    entry: FeedEntry
    count: int = 1
    advice: dict[str, str] | None = None
    laid: tuple[FeedEntry, str, int, list[Line]] | None = None
    """What `lines` made of it last, and of what."""


@dataclass(slots=True)
class WireLog:
    """The last `KEPT` rows, newest last."""

    rows: deque[Row] = field(default_factory=lambda: deque(maxlen=KEPT))

    def add(self, entries: Iterable[FeedEntry]) -> None:
        """Take entries in; one that says the same as a recent one counts there."""
        for entry in entries:
            key = _key(entry)
            recent = itertools.islice(reversed(self.rows), REACH)
            row = next((row for row in recent if row.key == key), None)
            if row is None:
                self.rows.append(Row(key, entry, advice=entry.advice))
            else:
                row.entry, row.count, row.advice = entry, row.count + 1, entry.advice or row.advice

    def chosen(self, which: Filter) -> Iterator[Row]:
        """Rows of a filter."""
        level = {"errors": "error", "writes": "write"}.get(which)
        return (row for row in self.rows if level is None or row.entry.level == level)


def _key(entry: FeedEntry) -> tuple[str, ...]:
    """What makes two entries the same. What was read changes from poll to poll and does not count; what was written does."""
    text = Text(entry.text).say("en")
    peer = entry.client.rpartition(":")[0]
    return (
        entry.protocol,
        peer,
        entry.device,
        entry.kind,
        entry.level,
        text.split(" → ")[0] if entry.level == "info" else text,
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One screen line of a row: lead (time, sign, protocol) on the first, then text, then advice."""

    row: Row
    kind: Literal["head", "text", "advice"]
    text: str


def lines(row: Row, lang: str, width: int) -> list[Line]:
    """A row as screen lines; ``width`` is what the text has, without lead and count."""
    if row.laid is not None and row.laid[0] is row.entry and row.laid[1:3] == (lang, width):
        return row.laid[3]
    words = wrap(Text(row.entry.text).say(lang) or row.entry.kind, width)
    found = [Line(row, "text" if n else "head", line) for n, line in enumerate(words)]
    if row.advice:
        found += [Line(row, "advice", line) for line in wrap(Text(row.advice).say(lang), width - 2)]
    row.laid = (row.entry, lang, width, found)
    return found


def wall(entry: FeedEntry) -> str:
    """Time of day of an entry where the reader is; a time no clock can show is dashes."""
    try:
        return datetime.fromtimestamp(entry.w / 1e9).astimezone().strftime("%H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return "--:--:--"
