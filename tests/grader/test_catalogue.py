from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grader_bench import Bench
from pydantic import BaseModel

import grader.checks
from grader.catalogue import examples, manual, parameters, prose
from grader.checks import REGISTRY, load, names
from grader.judging import Judging
from grader.outcome import State
from labsim.errors import UnknownNameError
from labsim.evidence.manifest import TagInfo
from labsim.scenario.fields import named_parts, nested_checks
from labsim.scenario.form import TASK_KEYS
from labsim.text import LANGUAGES

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"
EVERY = pytest.mark.parametrize("name", sorted(REGISTRY))


@EVERY
def test_examples_are_valid(name: str) -> None:
    """Every example is of its own check and passes the parameter model; its title has all languages."""
    check = load(name)
    assert examples(check)
    for example in examples(check):
        ((said, params),) = yaml.safe_load(example).items()
        assert said == name == check.name
        assert params.pop("marks") > 0
        params = {key: value for key, value in params.items() if key not in TASK_KEYS}
        title = check().title(check.Params.model_validate(params))
        assert set(title) == set(LANGUAGES)
        assert all("{" not in sentence for sentence in title.values())


@EVERY
def test_parameters_are_described(name: str) -> None:
    """Every parameter has a sentence and a type; the models take no others."""
    check = load(name)
    assert prose(check)
    for _, kind, _, text in parameters(check):
        assert kind
        assert text.endswith(".")
    assert issubclass(check.Params, BaseModel)
    assert check.Params.model_config["extra"] == "forbid"
    assert check.Params.model_config["frozen"] is True


@EVERY
def test_examples_are_judged(name: str, bench: Bench) -> None:
    """On a lab that nobody touched each example is judged without a fault of ours and earns nothing, save for penalties."""
    check = load(name)
    said = [next(iter(yaml.safe_load(example).items())) for example in examples(check)]
    own = [{key: value for key, value in params.items() if key not in TASK_KEYS} for _, params in said]
    tags = {value for params in own for _, kind, value in _parts(name, params) if kind == "tag"}
    bench.tags = [
        TagInfo(row=row, path=path, device=path.partition(".")[0], name=path.partition(".")[2], type="f64", unit="kW")
        for row, path in enumerate(sorted(tags))
    ]
    bench.scenario_files["checks.py"] = b"def alternates(evidence, device):\n    return False\n"
    bench.end = 60
    for params in own:
        outcome = Judging(bench.evidence).judge(name, params, "task")
        assert outcome.state in (State.FAILED, State.PASSED), outcome.actual
        assert outcome.state is State.FAILED or name in ("plant.never", "data.genuine"), name


def _parts(name: str, params: dict[str, Any]) -> Iterator[tuple[Any, str, str]]:
    """What the parameters of a check name, those of checks inside it included."""
    model = load(name).Params
    yield from named_parts(model, params)
    for _, inner, given in nested_checks(model, params):
        yield from _parts(inner, given)


def test_the_page_is_up_to_date() -> None:
    """docs/checks.md is what ``python -m grader.catalogue docs/checks.md`` writes."""
    assert PAGE.read_text(encoding="utf-8") == manual()


def test_an_unknown_check_is_told_with_the_nearest() -> None:
    """The registry is explicit."""
    assert set(REGISTRY) <= set(names())
    with pytest.raises(UnknownNameError, match=r"modbus\.polled"):
        load("modbus.poled")


def test_other_packages_add_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point is a name and a class, loaded when it is asked for; it cannot replace one of ours."""

    class Point:
        def __init__(self, name: str) -> None:
            self.name = name

        def load(self) -> Any:
            return f"class of {self.name}"

    points = [Point("press.force"), Point("answer")]
    monkeypatch.setattr(grader.checks, "entry_points", lambda group: points)
    grader.checks.load.cache_clear()
    try:
        assert "press.force" in names()
        assert load("press.force") == "class of press.force"
        assert load("answer").name == "answer"
    finally:
        grader.checks.load.cache_clear()
