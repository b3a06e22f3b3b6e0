"""Which language a session is shown (OPC 10000-4 §5.4, §5.7.3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from asyncua import ua

Locales: TypeAlias = Sequence[str]
"""What a session asked for, best first."""

Shown: TypeAlias = "Any | Mapping[str, str]"
"""A LocalizedText for everybody, or one text by locale, the first of them for who asked for none that is there."""

_SCRIPTS = {"zh-tw": "zh-Hant", "zh-hk": "zh-Hant", "zh-mo": "zh-Hant", "zh-cn": "zh-Hans", "zh-sg": "zh-Hans"}


def localize(shown: Shown, locales: Locales) -> Any:
    """The LocalizedText for a session: an exact locale, else the same language, else the first."""
    if not isinstance(shown, Mapping):
        return shown
    for wanted in locales:
        exact = wanted if wanted in shown else _SCRIPTS.get(wanted.lower(), "")
        if exact in shown:
            return ua.LocalizedText(shown[exact], exact)
        language = wanted.partition("-")[0].lower()
        near = next((there for there in shown if there.partition("-")[0].lower() == language), None)
        if near is not None:
            return ua.LocalizedText(shown[near], near)
    first = next(iter(shown), None)
    return ua.LocalizedText(shown[first], first) if first is not None else ua.LocalizedText()
