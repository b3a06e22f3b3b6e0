"""docs/check-author.md: what it shows is true."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml
from grader_bench import Bench

import grader.checks
from grader import apart
from grader.checks import REGISTRY, load
from grader.judging import Judging
from grader.outcome import State

PAGE = (Path(__file__).parents[2] / "docs" / "check-author.md").read_text(encoding="utf-8")


def block(head: str) -> str:
    """The code block that begins with a line."""
    found = re.search(rf"```{re.escape(head)}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found[1]


def test_the_function_beside_a_scenario(bench: Bench) -> None:
    """It judges as the page says, with the parameters of the page."""
    bench.scenario_files["checks.py"] = block("python checks.py").encode()
    bench.read(1)
    bench.event(2, "modbus", "write", device="meter1")
    bench.read(3)
    bench.read(4)
    ((name, params),) = yaml.safe_load(block("yaml"))[0].items()
    assert params.pop("marks") == 2
    outcome = bench.judge(name, **params)
    assert (outcome.state, outcome.reason["en"], outcome.evidence) == (State.FAILED, "In turn: 2 of 3.", (1, 2, 3, 4))


class _Point:
    """What an installed package declares."""

    name = "press.force"

    def load(self) -> object:
        """The class of the page."""
        import press_force  # type: ignore[import-not-found] # made of the page

        return press_force.Force


def test_the_check_of_a_package(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found by its entry point, judges, and is judged apart, where it is not installed and says so."""
    (tmp_path / "press_force.py").write_text(block("python press_force.py"), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(grader.checks, "entry_points", lambda group: [_Point()])
    load.cache_clear()
    try:
        bench.true("oven1.temp", (0, 100.0), (5, 130.0))
        bench.end = 9
        params = {"tag": "oven1.temp", "most": 120}
        assert bench.judge("press.force", **params).actual == "130"
        assert bench.judge("press.force", **{**params, "most": 150}).state is State.PASSED
        assert Judging(bench.evidence).judge("press.force", params).state is State.CANNOT_CHECK
    finally:
        load.cache_clear()
        sys.modules.pop("press_force", None)


def test_what_the_page_counts() -> None:
    """How many checks there are, and the limits of time."""
    found = re.search(r"There are more than (\d+) checks", PAGE)
    assert found
    assert int(found[1]) < len(REGISTRY) <= int(found[1]) + 10
    assert f"with {apart.TIME_LIMIT_S:g} s" in PAGE
    assert load("python").Params.model_fields["limit"].default == 10
