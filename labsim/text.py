"""Text in the languages labsim speaks, and the rule which one is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

LANGUAGES = ("en", "zh-Hant", "zh-Hans")
_FALLBACK = {"zh-Hant": ("zh-Hant", "zh-Hans", "en"), "zh-Hans": ("zh-Hans", "zh-Hant", "en")}


class Text(dict[str, str]):
    """One sentence in several languages: ``Text(en="Mill", **{"zh-Hant": "銑床"})``; a plain string is English.

    A missing language falls back to its sister script, then to English, then to whatever is there.
    """

    @classmethod
    def of(cls, value: str | Mapping[str, str]) -> Text:
        """Text from a plain string (English) or a mapping of languages."""
        return cls({"en": value}) if isinstance(value, str) else cls(value)

    def say(self, lang: str = "en") -> str:
        """The sentence in ``lang`` or the nearest language there is."""
        for tongue in (*_FALLBACK.get(lang, (lang, "en")), *self):
            if self.get(tongue):
                return self[tongue]
        return ""

    def format(self, **facts: Any) -> Text:
        """The same sentence with facts filled into every language; a fact that is Text is said in that language."""
        return Text(
            {
                lang: sentence.format(
                    **{name: fact.say(lang) if isinstance(fact, Text) else fact for name, fact in facts.items()}
                )
                for lang, sentence in self.items()
            }
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """Languages of labsim that this text lacks."""
        return tuple(lang for lang in LANGUAGES if not self.get(lang))

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Accept a string or a mapping of known languages, so that scenario and interface models can hold Text."""
        by_language = core_schema.dict_schema(
            core_schema.literal_schema(list(LANGUAGES)), core_schema.str_schema(), min_length=1
        )
        return core_schema.no_info_after_validator_function(
            cls.of,
            # Tags with blanks: no key of a text can be mistaken for one in the location of an error.
            core_schema.tagged_union_schema(
                {"one text": core_schema.str_schema(), "by language": by_language},
                discriminator=_form,
                custom_error_type="text_form",
                custom_error_message="write a text, or one per language: {en: …, zh-Hant: …, zh-Hans: …}",
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(dict),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _core: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """A string, or an object with the languages as keys."""
        languages = {lang: {"type": "string"} for lang in LANGUAGES}
        by_language = {"type": "object", "properties": languages, "additionalProperties": False, "minProperties": 1}
        return {"anyOf": [{"type": "string"}, by_language]}


def _form(value: Any) -> str | None:
    if isinstance(value, str):
        return "one text"
    return "by language" if isinstance(value, Mapping) else None


def tr(en: str, hant: str, hans: str) -> Text:
    """Text in all three languages, for sentences that live in code."""
    return Text({"en": en, "zh-Hant": hant, "zh-Hans": hans})
