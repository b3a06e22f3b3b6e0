"""Text in the languages labsim speaks, and the rule which one is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import GetCoreSchemaHandler
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
        texts = core_schema.dict_schema(
            core_schema.literal_schema(list(LANGUAGES)), core_schema.str_schema(), min_length=1
        )
        return core_schema.no_info_after_validator_function(
            cls.of,
            core_schema.union_schema([core_schema.str_schema(), texts], mode="left_to_right"),
            serialization=core_schema.plain_serializer_function_ser_schema(dict),
        )


def tr(en: str, hant: str, hans: str) -> Text:
    """Text in all three languages, for sentences that live in code."""
    return Text({"en": en, "zh-Hant": hant, "zh-Hans": hans})
