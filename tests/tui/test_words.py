"""Every sentence of the terminal UI exists in every language, with the same facts in it."""

from __future__ import annotations

from string import Formatter

from labsim.text import LANGUAGES
from labsim.tui.words import NAMES, WORDS, next_language


def _facts(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_every_sentence_is_complete() -> None:
    """No language is missing, and each holds the same facts."""
    assert [key for key, text in WORDS.items() if text.missing] == []
    assert [key for key, text in WORDS.items() if len({frozenset(_facts(line)) for line in text.values()}) > 1] == []


def test_languages_go_round() -> None:
    """Pressing the key as often as there are languages comes back to the first."""
    assert [next_language(lang) for lang in LANGUAGES] == ["zh-Hant", "zh-Hans", "en"]
    assert set(NAMES) == set(LANGUAGES)
