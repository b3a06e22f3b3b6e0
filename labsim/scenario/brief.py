"""Briefings: Markdown files beside the scenario, one per language, with a section per task.

``brief: brief.md#decode`` names the section of ``brief.<lang>.md`` whose heading ends in ``{#decode}``: what follows that
heading up to the next one of the same or a higher level. The heading itself is left out, since the task's title stands
there already. What comes before the first such heading is the story.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from labsim.document.document import read_text
from labsim.errors import UnknownNameError
from labsim.scenario.part import Drawn
from labsim.scenario.placeholder import fill_text
from labsim.text import LANGUAGES, Text

_HEADING = re.compile(r" {0,3}(#{1,6})\s+(?:(.*?)\s*)?(?:\{#([a-z0-9][a-z0-9-]*)\})?\s*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
STORY = "brief.md"


@dataclass(frozen=True, slots=True)
class Brief:
    """The briefings of a scenario with drawn values filled in.

    Attributes:
        stories: Text by file (``brief.md``): what stands before the first section.
        sections: Text by reference (``brief.md#decode``).
    """

    stories: Mapping[str, Text]
    sections: Mapping[str, Text]

    @classmethod
    def load(cls, folder: Path, drawn: Mapping[str, Drawn]) -> Brief:
        """Read every ``<name>.<lang>.md`` of a scenario's folder; none at all is an empty briefing.

        Raises:
            ScenarioError: a file is not UTF-8.
            InputError: a file cannot be read.
        """
        stories: dict[str, Text] = {}
        sections: dict[str, Text] = {}
        for path, name, lang in brief_files(folder):
            story, parts = split(fill_text(read_text(path, str(path)), drawn))
            stories.setdefault(name, Text())[lang] = story
            for anchor, section in parts.items():
                sections.setdefault(f"{name}#{anchor}", Text())[lang] = section
        return cls(stories, sections)

    def story(self, lang: str = "en") -> str:
        """What stands before the tasks in ``brief.md``, as Markdown; empty when there is no briefing."""
        return self.stories[STORY].say(lang) if STORY in self.stories else ""

    def section(self, reference: str, lang: str = "en") -> str:
        """The Markdown that a task's ``brief`` names; without an anchor, the file's story.

        Raises:
            UnknownNameError: no language has it.
        """
        known = self.sections if "#" in reference else self.stories
        if reference not in known:
            raise UnknownNameError("briefing", reference, known)
        return known[reference].say(lang)

    def languages(self, reference: str) -> set[str]:
        """The languages that have it."""
        return set(self.sections.get(reference, self.stories.get(reference, Text())))


def brief_files(folder: Path) -> list[tuple[Path, str, str]]:
    """Path, name without the language, and language of every briefing of a folder."""
    found = []
    for path in sorted(folder.glob("*.md")):
        stem, _, lang = path.name.removesuffix(".md").rpartition(".")
        if stem and lang in LANGUAGES:
            found.append((path, f"{stem}.md", lang))
    return found


def split(markdown: str) -> tuple[str, dict[str, str]]:
    """The story and the sections by anchor. Headings inside fenced code are none."""
    lines, headings, fence = markdown.split("\n"), [], ""
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence) and not line.strip(" `~"):
            fence = ""
        found = _HEADING.fullmatch(line) if not fence and not mark else None
        if found:
            headings.append((number, len(found[1]), found[3]))
            lines[number] = f"{found[1]} {found[2] or ''}".rstrip()
    sections: dict[str, str] = {}
    for index, (number, level, anchor) in enumerate(headings):
        if anchor:
            end = next((n for n, deep, _ in headings[index + 1 :] if deep <= level), len(lines))
            sections[anchor] = "\n".join(lines[number + 1 : end]).strip()
    first = next((number for number, _, anchor in headings if anchor), len(lines))
    return "\n".join(lines[:first]).strip(), sections
