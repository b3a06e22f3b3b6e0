"""How a datasheet says things: words in one language, tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labsim.lab.manual.words import WORDS
from labsim.plant.interface import SettingSpec, TagSpec
from labsim.plant.signature import ArgumentSpec, FieldSpec, MethodSpec
from labsim.text import Text


class Say:
    """Words in one language."""

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def __call__(self, text: str | Text, **facts: object) -> str:
        """A word by its key, or a text."""
        sentence = (WORDS[text] if isinstance(text, str) else text).say(self.lang)
        return sentence.format(**facts) if facts else sentence

    def meaning(self, spec: SettingSpec | TagSpec | MethodSpec) -> str:
        """Title, and what there is to say about it."""
        return self(spec.title) + (self("stop") + self(spec.about) if spec.about else "")


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown."""
    lines = [list(head), *([str(cell).replace("|", "\\|") for cell in row] for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def span(limits: tuple[float, float] | None, say: Say) -> str:
    """A range, empty when there is none."""
    return say("to", low=f"{limits[0]:.15g}", high=f"{limits[1]:.15g}") if limits else ""


def fields(found: Mapping[str, FieldSpec | ArgumentSpec], say: Say) -> str:
    """Arguments or fields with their types, one a line."""

    def kind(one: FieldSpec | ArgumentSpec) -> str:
        return f"{one.type}[]" if isinstance(one, ArgumentSpec) and one.array else one.type

    return "<br>".join(f"`{name}` ({kind(one)}): {say(one.title)}" for name, one in found.items())
