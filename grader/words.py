"""How facts are written in reasons: numbers with units, plant time as UTC, durations, lists of names."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from labsim.evidence.evidence import Evidence
from labsim.evidence.manifest import TagInfo
from labsim.quantity import Tolerance
from labsim.text import LANGUAGES, Text

_LISTED = 6


def number(value: object) -> str:
    """A value as a person would write it: six significant digits, no needless zeros."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value) and value == int(value) and abs(value) < 1e9:
        return str(int(value))
    if isinstance(value, int) and abs(value) >= 10**300:  # a number of JSON that no float holds
        return f"{Decimal(value):.6g}"
    if isinstance(value, (int, float)):
        return f"{value:.6g}" if isinstance(value, float) or abs(value) >= 10**15 else str(value)
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def quantity(value: object, unit: str | None) -> str:
    """A value with its unit."""
    return f"{number(value)} {unit}" if unit and unit != "1" else number(value)


def worth(value: object, tag: TagInfo) -> str:
    """A tag's value with what it means: its unit, its label (``2 (Run)``), true or false."""
    if tag.type == "bool" and value in (0, 1):
        return number(bool(value))
    label = (
        tag.labels.get(int(value), {}).get("en") if isinstance(value, (int, float)) and value in tag.labels else None
    )
    return f"{number(value)} ({label})" if label else quantity(value, tag.unit)


def margin(tolerance: Tolerance, unit: str | None = None) -> str:
    """A tolerance with its unit: ``±0.5 %``, ``±0.2 V``, ``±0`` when it is exact."""
    parts = [f"{tolerance.relative * 100:g} %"] if tolerance.relative else []
    if tolerance.absolute or not parts:
        parts.insert(0, quantity(tolerance.absolute, unit if tolerance.absolute else None))
    return f"±{' + '.join(parts)}"


def duration(seconds: float) -> str:
    """A length of time in the unit that reads best."""
    if seconds < 0.9995:  # from there on it is a second to three digits
        return f"{seconds * 1000:.3g} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def percent(share: float) -> str:
    """A share as a percentage, cut (not rounded up), so that 99.96 % never reads as 100 %."""
    return f"{math.floor(share * 1000 + 1e-9) / 10:g} %"


def clock(evidence: Evidence, t_ns: int) -> str:
    """Plant time as the UTC time of day that clients saw, to a tenth of a second."""
    utc_ns = evidence.utc_ns(t_ns)
    moment = datetime.fromtimestamp(utc_ns // 10**9, UTC)
    return f"{moment:%H:%M:%S}.{utc_ns % 10**9 // 10**8} UTC"


def names(items: Iterable[str]) -> str:
    """A list of names, cut after a few."""
    every = list(items)
    return ", ".join(every[:_LISTED]) + (f" … ({len(every)})" if len(every) > _LISTED else "")


def listed(items: Iterable[Text | str]) -> Text:
    """Several short facts as one, in every language; facts that are empty are left out."""
    every = [item for item in items if item]
    said = {lang: [item.say(lang) if isinstance(item, Text) else item for item in every] for lang in LANGUAGES}
    return Text({lang: (", " if lang == "en" else "、").join(parts) for lang, parts in said.items()} if every else {})


def fill(form: Text, **facts: object) -> Text:
    """A sentence with facts, each of which may itself be in several languages."""
    return Text(
        {
            lang: sentence.format(**{n: f.say(lang) if isinstance(f, Text) else f for n, f in facts.items()})
            for lang, sentence in form.items()
        }
    )
