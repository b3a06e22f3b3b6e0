from __future__ import annotations

from pathlib import Path

import pytest

from labsim.errors import Problem, ScenarioError
from labsim.scenario.load import load_scenario

SCENARIO = """
labsim: 1
id: two
title: Two
level: senior
minutes: 10
plant: {mill1: {type: cnc-mill}}
endpoints:
  - opcua: {port: 4840, name: mill-a, devices: [mill1]}
  - opcua: {port: 4841, devices: [mill1]}
tasks:
  - {id: a, title: A, marks: 1, checks: [%s]}
"""


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("opcua.session: {server: mill-a, marks: 1}", None),
        ("opcua.session: {server: labsim, marks: 1}", None),
        ("opcua.session: {server: mill-b, marks: 1}", ("no OPC UA server 'mill-b'", "'mill-a'")),
        (
            "any: {checks: [opcua.no-session: {server: press}], marks: 1}",
            ("no OPC UA server 'press'", "labsim, mill-a"),
        ),
    ],
)
def test_a_check_of_a_server_names_one_that_is_there(tmp_path: Path, check: str, said: tuple[str, str] | None) -> None:
    """By the name of its endpoint, or by the name that one without has; also inside another check."""
    (tmp_path / "scenario.yaml").write_text(SCENARIO % f"{{{check}}}", encoding="utf-8")
    problems: list[Problem] = []
    try:
        load_scenario(tmp_path, seed="1", catalogue=None)
    except ScenarioError as error:
        problems = list(error.problems)
    assert [problem.code for problem in problems] == (["unknown-server"] if said else [])
    if said is not None:
        assert said[0] in problems[0].message
        assert said[1] in problems[0].hint
