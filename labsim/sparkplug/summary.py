"""A Sparkplug payload in one line, for people who watch."""

from __future__ import annotations

from labsim.sparkplug.payload import Metric, decode

_MOST = 6
"""Metrics that are named."""


def summary(data: bytes) -> str:
    """A payload as ``seq 4: voltage = 231.5, alias 7 = null, … (12)``.

    Raises:
        ValueError: not a Sparkplug payload.
    """
    payload = decode(data)
    parts = [f"{_name(metric)} = {_worth(metric)}" for metric in payload.metrics[:_MOST]]
    if len(payload.metrics) > _MOST:
        parts.append(f"… ({len(payload.metrics)})")
    head = "" if payload.seq is None else f"seq {payload.seq}"
    return ": ".join(filter(None, (head, ", ".join(parts))))


def _name(metric: Metric) -> str:
    return metric.name if metric.name is not None else f"alias {metric.alias}" if metric.alias is not None else "?"


def _worth(metric: Metric) -> str:
    """The value as far as the message alone tells it: without a type a signed integer shows as it travels."""
    if metric.value is None:
        return "null"
    try:
        value = metric.worth() if metric.datatype is not None else metric.value[1]
    except ValueError:
        value = metric.value[1]
    if isinstance(value, (bool, str, int, float)):
        text = (
            str(value).lower()
            if isinstance(value, bool)
            else f"{value:.7g}"
            if isinstance(value, float)
            else str(value)
        )
    else:
        text = f"<{metric.value[0].removesuffix('_value')}>"
    return text if len(text) <= 40 else f"{text[:37]}…"
