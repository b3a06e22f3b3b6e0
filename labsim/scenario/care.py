"""What an author owes the trainee beyond a scenario that runs: briefings that exist, all languages, honest wrong answers."""

from __future__ import annotations

import re
from math import inf
from pathlib import Path

from labsim.document import Document
from labsim.document.document import read_text
from labsim.errors import Problem, ScenarioError, did_you_mean
from labsim.scenario.brief import STORY, Brief, brief_files
from labsim.scenario.competence import competences
from labsim.scenario.folder import wrong_answers
from labsim.scenario.part import BRIEF_FORM
from labsim.scenario.placeholder import names_in, unknown
from labsim.text import LANGUAGES

_TEXTS = (
    ("title",),
    ("plant", "*", "title"),
    ("tasks", "*", "title"),
    ("tasks", "*", "answer"),
    ("tasks", "*", "checks", "*", "title"),
    ("tasks", "*", "hints", "*", "text"),
)


def judge_briefs(document: Document, folder: Path, variants: set[str], used: set[str], *, care: bool) -> None:
    """Briefings that tasks name, and placeholders in briefings.

    Args:
        document: The scenario in the model's form.
        folder: Where the briefings lie.
        variants: Names that placeholders may have.
        used: Names met in briefings are added.
        care: Whether a briefing that only some languages have is a problem.
    """
    try:
        brief = Brief.load(folder, {})
        for file, _, _ in brief_files(folder):
            _placeholders(document, file, variants, used)
    except ScenarioError as error:
        document.problems += error.problems
        return
    known = {*brief.sections, *brief.stories}
    for path, reference in document.each("tasks", "*", "brief"):
        if not isinstance(reference, str) or not re.match(BRIEF_FORM, reference):
            continue
        if reference not in known:
            name, _, anchor = reference.partition("#")
            lacks = f"no file {name.removesuffix('.md')}.<language>.md has a heading that ends in {{#{anchor}}}"
            message = lacks if name in brief.stories and anchor else f"there is no {name.removesuffix('.md')}.en.md"
            document.problem(path, "missing-brief", f"brief: {message}.", did_you_mean(reference, known))
        elif care and "#" in reference:
            name, _, anchor = reference.partition("#")
            for lang in LANGUAGES:
                if lang in brief.languages(name) - brief.languages(reference):
                    message = f"brief: {name.removesuffix('.md')}.{lang}.md has no heading that ends in {{#{anchor}}}."
                    document.problem(path, "missing-language", message)
    if care:
        for name in sorted({STORY, *brief.stories}):
            lacking = [lang for lang in LANGUAGES if lang not in brief.languages(name)]
            for lang in lacking:
                lacked = str(folder / f"{name.removesuffix('.md')}.{lang}.md")
                document.problems.append(Problem(lacked, 0, 0, "missing-language", "there is no such file."))


def _placeholders(document: Document, path: Path, variants: set[str], used: set[str]) -> None:
    text = read_text(path, str(path))
    for offset, name in names_in(text):
        used.add(name)
        fault = unknown(name, variants)
        if fault is not None:
            line, column = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
            document.problems.append(Problem(str(path), line, column, *fault))


def judge_care(document: Document, folder: Path) -> None:
    """Texts in all languages, and wrong answers that lose what there is to lose."""
    for pattern in _TEXTS:
        for path, value in document.each(*pattern):
            if not isinstance(value, (str, dict)) or not value:
                continue
            given = value if isinstance(value, dict) else {LANGUAGES[0]: value}
            if not set(given) <= set(LANGUAGES):
                continue  # a misspelt language, which the model has told
            missing = [lang for lang in LANGUAGES if given.get(lang, "") == ""]
            if missing:
                message = f"{path[-1]}: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing."
                document.problem(path, "missing-language", message)
    for path, name in document.each("competences", "*"):
        if isinstance(name, str) and name not in competences() and ":" not in name:
            message = f"there is no competence {name!r}; one of another framework is written as a URI."
            document.problem(path, "unknown-competence", message, did_you_mean(name, competences()))
    worth = [item for pattern in (("tasks", "*"), ("penalties", "*")) for _, item in document.each(*pattern)]
    marks = {
        item["id"]: item.get("most", inf) if item.get("take") == "each" else item.get("marks")
        for item in worth
        if isinstance(item, dict) and isinstance(item.get("id"), str)
    }
    try:
        answers = wrong_answers(folder)
    except ScenarioError as error:
        document.problems += error.problems
        return
    for answer in answers:
        if not answer.loses:
            message = "LOSES: a wrong answer that loses nothing proves nothing."
            document.problems.append(Problem(str(answer.path), answer.line, 1, "bad-wrong-answer", message))
        for name, lost in answer.loses.items():
            most = marks.get(name)
            if name not in marks:
                message, near = f"LOSES: there is no task {name!r}.", did_you_mean(name, marks)
            elif isinstance(most, (int, float)) and lost > most:
                message, near = f"LOSES: {name} cannot lose {lost:g} of {most:g} marks.", ""
            else:
                continue
            document.problems.append(Problem(str(answer.path), answer.line, 1, "bad-wrong-answer", message, near))
