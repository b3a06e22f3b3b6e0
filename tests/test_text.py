"""Text in three languages."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from labsim.text import LANGUAGES, Text, tr


class Titled(BaseModel):
    """A model with a text."""

    title: Text


def test_a_plain_string_is_english():
    """Authors may write one string; it stands for English."""
    assert Titled.model_validate({"title": "Mill"}).title == Text(en="Mill")
    assert Text.of("Mill").missing == ("zh-Hant", "zh-Hans")


@pytest.mark.parametrize(
    ("have", "ask", "get"),
    [
        ({"en": "a", "zh-Hant": "b"}, "zh-Hans", "b"),
        ({"en": "a", "zh-Hans": "b"}, "zh-Hant", "b"),
        ({"en": "a"}, "zh-Hans", "a"),
        ({"zh-Hans": "b"}, "en", "b"),
        ({"en": "", "zh-Hans": "b"}, "en", "b"),
        ({"en": "a"}, "pt-BR", "a"),
        ({}, "en", ""),
    ],
)
def test_a_missing_language_falls_back(have, ask, get):
    """First the sister script, then English, then whatever there is; an empty sentence counts as missing."""
    assert Text(have).say(ask) == get


def test_facts_are_filled_into_every_language():
    """One set of facts serves all languages."""
    assert tr("{n} left", "剩 {n}", "剩 {n}").format(n=2) == tr("2 left", "剩 2", "剩 2")


@pytest.mark.parametrize("bad", [5, None, [], {}, {"fr": "x"}, {"en": 5}, {"en": None}])
def test_what_is_no_text_is_refused(bad):
    """Numbers, lists, nothing, unknown languages."""
    with pytest.raises(ValidationError):
        Titled.model_validate({"title": bad})


def test_a_text_survives_json():
    """As the manifest and the control API write it."""
    titled = Titled(title=tr("a", "b", "c"))
    assert Titled.model_validate_json(titled.model_dump_json()) == titled
    assert tuple(titled.model_dump()["title"]) == LANGUAGES


def test_the_schema_is_a_string_or_the_languages():
    """Editors complete the three languages."""
    either = Titled.model_json_schema()["properties"]["title"]["anyOf"]
    assert either[0] == {"type": "string"}
    assert tuple(either[1]["properties"]) == LANGUAGES
