"""The Like operator: patterns over texts, matched without backtracking explosions (OPC 10000-4 §7.7.3)."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

_ANY_TEXT = None


class _One(NamedTuple):
    """What one character may be: any of ``chars``, or none of them."""

    chars: frozenset[str]
    inverted: bool

    def fits(self, char: str) -> bool:
        """Whether a character may stand here."""
        return (char in self.chars) != self.inverted


_ANY_CHAR = _One(frozenset(), True)


def like(text: str, pattern: str) -> bool:
    r"""Whether all of ``text`` fits: % is any text, _ any character, [a-c] and [^a-c] lists, \ takes the next literally.

    On a mismatch only the last % gives way, which is enough, so the work is bounded by both lengths.
    """
    parts = _parse(pattern)
    at = place = 0
    star, mark = -1, 0
    while at < len(text):
        part = parts[place] if place < len(parts) else _NOTHING
        if part is _ANY_TEXT:
            star, mark = place, at
            place += 1
        elif part is not None and part.fits(text[at]):
            at, place = at + 1, place + 1
        elif star >= 0:
            mark += 1
            at, place = mark, star + 1
        else:
            return False
    return all(part is _ANY_TEXT for part in parts[place:])


_NOTHING = _One(frozenset(), False)


@lru_cache(256)
def _parse(pattern: str) -> tuple[_One | None, ...]:
    parts: list[_One | None] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "%":
            if not parts or parts[-1] is not _ANY_TEXT:
                parts.append(_ANY_TEXT)
        elif char == "_":
            parts.append(_ANY_CHAR)
        elif char == "[" and (end := pattern.find("]", at + 1)) > 0:
            parts.append(_list(pattern[at:end]))
            at = end + 1
        else:
            if char == "\\" and at < len(pattern):
                char, at = pattern[at], at + 1
            parts.append(_One(frozenset(char), False))
    return tuple(parts)


def _list(body: str) -> _One:
    inverted = len(body) > 1 and body[0] == "^"
    body = body[1:] if inverted else body
    chars: set[str] = set()
    at = 0
    while at < len(body):
        if at + 2 < len(body) and body[at + 1] == "-":
            low, high = ord(body[at]), min(ord(body[at + 2]), ord(body[at]) + 0x1000)
            chars.update(map(chr, range(low, high + 1)))
            at += 3
        else:
            chars.add(body[at])
            at += 1
    return _One(frozenset(chars), inverted)
