"""Errors: sentences, exit codes, and exceptions that survive a process boundary."""

from __future__ import annotations

import pickle

import pytest

from labsim.errors import (
    AttemptError,
    ControlError,
    EndpointError,
    EvidenceError,
    InputError,
    LabsimError,
    Problem,
    ScenarioError,
    UnknownNameError,
    did_you_mean,
)

PROBLEM = Problem("a.yaml", 3, 7, "bad-value", "marks: 12 is too much.", "Write less.")


@pytest.mark.parametrize(
    "error",
    [
        LabsimError("x"),
        InputError("x"),
        AttemptError("x"),
        EndpointError("x"),
        EvidenceError("x"),
        ControlError("x"),
        ScenarioError([PROBLEM]),
        UnknownNameError("device", "metre1", ["meter1", "mill1"]),
    ],
)
def test_every_error_can_be_rebuilt(error):
    """Process pools pickle exceptions and SimPy rebuilds them from their args; the sentence stays the same."""
    for copy in (pickle.loads(pickle.dumps(error)), type(error)(*error.args)):
        assert type(copy) is type(error)
        assert str(copy) == str(error)
        assert copy.exit_code == 2


def test_a_problem_reads_as_a_compiler_writes():
    """`file:line:column: message hint`, so that editors can jump there; without a place only the file."""
    assert str(PROBLEM) == "a.yaml:3:7: marks: 12 is too much. Write less."
    assert (
        str(Problem("a.yaml", 0, 0, "missing-language", "there is no such file.")) == "a.yaml: there is no such file."
    )
    assert list(PROBLEM.to_json()) == ["file", "line", "column", "code", "message", "hint"]


def test_all_problems_are_in_the_sentence():
    """One line per problem."""
    assert str(ScenarioError([PROBLEM, PROBLEM])).count("\n") == 1


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("metre1", ["meter1", "mill1"], "Did you mean 'meter1'?"),
        ("Meter1", ["meter1", "mill1"], "Did you mean 'meter1'?"),
        ("x", ["b", "a", "a"], "Known: a, b."),
        ("x", [], ""),
        ("x", [f"name{n}" for n in range(13)], ""),
    ],
)
def test_the_nearest_name_or_all_when_few(name, known, said):
    """A misspelt name is met with its nearest, a strange one with all there are, if they fit in a sentence."""
    assert did_you_mean(name, known) == said


def test_an_unknown_name_says_its_kind():
    """What, which, and what to do."""
    assert (
        str(UnknownNameError("device", "metre1", ["meter1"])) == "there is no device 'metre1'. Did you mean 'meter1'?"
    )
