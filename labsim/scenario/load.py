"""Reading scenarios: from the author's YAML to a `Scenario`, with every problem at once.

The way: YAML with positions (`labsim.document`) → ready plants taken in (`include`) → placeholders filled in (`placeholder`) →
checks in the model's form (`form`) → models and rules (`model`, `judge`, `care`). Each step goes on after a mistake, and what a
mistake makes unjudgeable is passed over, so one mistake is told once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from labsim.document import Document, read_document
from labsim.errors import InputError, Problem, ScenarioError
from labsim.scenario.care import judge_briefs, judge_care
from labsim.scenario.catalogue import Catalogue
from labsim.scenario.form import to_model
from labsim.scenario.include import take_in
from labsim.scenario.judge import judge
from labsim.scenario.model import Scenario, ScenarioFile, Variant
from labsim.scenario.part import Drawn
from labsim.scenario.placeholder import NAME, Filler
from labsim.scenario.script import judge_scripts
from labsim.scenario.variant import draw, values

FILE = "scenario.yaml"
_FORMS = 40
"""Most forms that lint looks at; a variant with more choices is not tried in full."""


def load_scenario(
    path: Path, *, seed: str | int, catalogue: Catalogue | None, drawn: Mapping[str, Drawn] | None = None
) -> Scenario:
    """The scenario as ``seed`` draws it.

    Args:
        path: The scenario's folder, or its ``scenario.yaml``.
        seed: What the variants are drawn from.
        catalogue: What is installed; what it does not know at all (or everything, with None) is not judged, as when an
            attempt is marked again.
        drawn: The values of an earlier draw, from an attempt's manifest; nothing is drawn then.

    Raises:
        InputError: the file cannot be read, or ``drawn`` lacks a variant.
        ScenarioError: it has problems, all of them listed; those in `labsim.scenario.problems.CARE` are no reason.
    """
    source = read_document(_file(path))
    plants, _ = take_in(source, _file(path).parent, catalogue)
    if plants:
        raise ScenarioError(plants)
    good, broken = _variants(source)
    if drawn is None:
        given = draw(good, seed, _id(source))
    else:
        lacking = [name for name in good if name not in drawn]
        if lacking:
            raise InputError(f"{source.file}: the values drawn earlier lack {', '.join(map(repr, lacking))}.")
        given, broken = {name: drawn[name] for name in good}, ()
    filler = Filler(source, given, broken)
    scenario, document = _read(filler, catalogue)
    if drawn is None:
        judge_briefs(document, _file(path).parent, {*good, *broken}, set(), care=False)
        judge_scripts(document, _file(path).parent)
    document.done()
    assert scenario is not None
    return Scenario.model_construct(
        scenario.model_fields_set,
        **{name: getattr(scenario, name) for name in ScenarioFile.model_fields},
        folder=_file(path).parent,
        drawn=given,
    )


def lint_scenario(path: Path, catalogue: Catalogue | None) -> list[Problem]:
    """Every problem of a scenario, in the order of the file; each choice of each variant is tried.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        source = read_document(_file(path))
    except ScenarioError as error:
        return list(error.problems)
    found, whole = take_in(source, _file(path).parent, catalogue)
    if not whole:
        return found
    good, broken = _variants(source)
    used: set[str] = set()
    for number, drawn in enumerate(_forms(good)):
        filler = Filler(source, drawn, broken)
        _, document = _read(filler, catalogue)
        if number == 0:
            judge_briefs(document, _file(path).parent, {*good, *broken}, used, care=True)
            judge_scripts(document, _file(path).parent)
            judge_care(document, _file(path).parent)
        used |= filler.used
        # another choice of the same variant may put the same mistake in other words
        told = {(p.file, p.line, p.column, p.code) for p in found}
        found += [p for p in document.problems if (p.file, p.line, p.column, p.code) not in told]
    unused = Document(source.file, source.text, source.data, source.root)
    for name in (*good, *broken):
        if name not in used and NAME.fullmatch(name):
            message = f"the variant {name!r} is used nowhere."
            unused.problem(("variants", name), "unused-variant", message, f"Write ${{{name}}} or delete it.", key=True)
    return sorted([*found, *unused.problems], key=lambda p: (p.file != source.file, p.file, p.line, p.column))


def _read(filler: Filler, catalogue: Catalogue | None) -> tuple[ScenarioFile | None, Document]:
    """The scenario of one draw (None when its shape is wrong) and its document in the model's form."""
    document = filler.fill()
    to_model(document)
    scenario = document.validate(ScenarioFile, document.data)
    judge(document, catalogue)
    return scenario, document


def _file(path: Path) -> Path:
    return path / FILE if path.is_dir() else path


def _id(source: Document) -> str:
    found = source.data.get("id") if isinstance(source.data, dict) else None
    return found if isinstance(found, str) else ""


def _variants(source: Document) -> tuple[dict[str, Variant], Collection[str]]:
    """The variants that can be drawn, and the names of those that cannot (their problems are told by the models)."""
    good: dict[str, Variant] = {}
    broken: list[str] = []
    for path, raw in source.each("variants", "*"):
        try:
            good[str(path[1])] = Variant.model_validate(raw)
        except ValidationError:
            broken.append(str(path[1]))
    return good, broken


def _forms(variants: Mapping[str, Variant]) -> Iterator[dict[str, Any]]:
    """Draws that together hold every choice of every variant."""
    choices = {name: values(variant) for name, variant in variants.items()}
    for number in range(min(max(map(len, choices.values()), default=1), _FORMS)):
        yield {name: options[number % len(options)] for name, options in choices.items()}
