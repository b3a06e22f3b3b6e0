"""Topic names and topic filters: what is allowed and what matches (§4.7)."""

from __future__ import annotations

from collections.abc import Sequence

from labsim.endpoints.mqtt.packet import ProtocolViolation

_LONGEST = 65535
_SHARE = "$share/"


def check_topic(topic: str) -> None:
    """Judge a topic name.

    Raises:
        ProtocolViolation: empty, too long, or with U+0000 or a wildcard [MQTT-4.7.3-1, -2, -3, MQTT-3.3.2-2].
    """
    _check_text(topic, "topic")
    if "+" in topic or "#" in topic:
        raise ProtocolViolation(f"a wildcard in the topic {_short(topic)}")


def check_filter(pattern: str) -> None:
    """Judge a topic filter.

    Raises:
        ProtocolViolation: empty, too long, with U+0000, or with a wildcard that is not a whole level or a ``#`` that is
            not the last one [MQTT-4.7.1-2, -3]; or a shared subscription without a proper name or filter
            [MQTT-4.8.2-1, -2 in version 5].
    """
    _check_text(pattern, "topic filter")
    share = shared(pattern)
    if share is not None:
        _check_share(*share)
        pattern = share[1]
    levels = pattern.split("/")
    for place, level in enumerate(levels):
        if len(level) > 1 and ("+" in level or "#" in level):
            raise ProtocolViolation(f"a wildcard that is not a whole level in the filter {_short(pattern)}")
        if level == "#" and place != len(levels) - 1:
            raise ProtocolViolation(f"# is not the last level in the filter {_short(pattern)}")


def shared(pattern: str) -> tuple[str, str] | None:
    """Share name and filter of ``$share/<name>/<filter>``; None for a filter that is not shared."""
    if not pattern.startswith(_SHARE):
        return None
    name, _, rest = pattern[len(_SHARE) :].partition("/")
    return name, rest


def covers(allowed: str, asked: str) -> bool:
    """Whether a valid filter matches every topic that another one, ``asked``, matches."""
    wide, narrow = allowed.split("/"), asked.split("/")
    if narrow[0][:1] == "$" and wide[0] in ("+", "#"):
        return False
    for place, level in enumerate(wide):
        if level == "#":
            return True
        if place == len(narrow) or narrow[place] == "#":
            return False
        if level not in ("+", narrow[place]):
            return False
    return len(wide) == len(narrow)


def has_wildcard(pattern: str) -> bool:
    """Whether a valid filter matches more than the topic of the same spelling."""
    return "+" in pattern or "#" in pattern


def matches(pattern: str, topic: str) -> bool:
    """Whether a valid filter matches a valid topic."""
    return match_levels(pattern.split("/"), topic.split("/"))


def match_levels(pattern: Sequence[str], topic: Sequence[str]) -> bool:
    """`matches` on what is already split at the slashes; nothing is normalised [MQTT-4.7.3-4].

    A filter that begins with a wildcard does not match a topic that begins with ``$`` [MQTT-4.7.2-1].
    """
    if topic[0][:1] == "$" and pattern[0] in ("+", "#"):
        return False
    for place, level in enumerate(pattern):
        if level == "#":
            return True  # also the parent level itself (§4.7.1.2)
        if place == len(topic) or (level not in ("+", topic[place])):
            return False
    return len(pattern) == len(topic)


def _check_share(name: str, pattern: str) -> None:
    if not name or "+" in name or "#" in name:
        raise ProtocolViolation(f"a shared subscription without a proper name: {_short(name)}")
    if not pattern:
        raise ProtocolViolation(f"the shared subscription {_short(name)} has no filter")


def _check_text(text: str, what: str) -> None:
    if not text:
        raise ProtocolViolation(f"an empty {what}")
    if "\0" in text:
        raise ProtocolViolation(f"U+0000 in the {what}")
    if len(text.encode()) > _LONGEST:
        raise ProtocolViolation(f"a {what} of more than {_LONGEST} bytes")


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")
