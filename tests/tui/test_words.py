"""Every sentence of the terminal UI exists in every language, with the same facts in it."""

from __future__ import annotations

from string import Formatter

import pytest

from labsim.text import LANGUAGES, Text
from labsim.tui.words import NAMES, WORDS, next_language


def _facts(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


@pytest.mark.parametrize("key", WORDS)
def test_sentence_is_complete(key: str) -> None:
    """No language is missing and each holds the same facts."""
    text: Text = WORDS[key]
    assert text.missing == ()
    assert len({frozenset(_facts(sentence)) for sentence in text.values()}) == 1


def test_languages_go_round() -> None:
    """Pressing the key as often as there are languages comes back to the first."""
    assert [next_language(lang) for lang in LANGUAGES] == ["zh-Hant", "zh-Hans", "en"]
    assert set(NAMES) == set(LANGUAGES)
