"""Scenario folders: found by name or path, copied without the answers, listed at a glance."""

from __future__ import annotations

import pytest

from labsim.errors import InputError, ScenarioError, UnknownNameError
from labsim.scenario.folder import builtin_scenarios, find_scenario, peek, scenario_files, wrong_answers
from labsim.scenario.load import lint_scenario


def test_scenarios_of_ours_are_found_by_name():
    """Every built-in scenario is a folder with a scenario.yaml of its name's id."""
    for name, folder in builtin_scenarios().items():
        assert find_scenario(name) == folder
        assert peek(folder).id == name


def test_folder_and_file_are_found_by_path(write):
    """Authors work on folders of their own."""
    folder = write()
    assert find_scenario(str(folder)) == find_scenario(folder / "scenario.yaml") == folder


def test_what_is_no_scenario_says_so(tmp_path):
    """A folder without scenario.yaml and a name that nothing has are told apart."""
    with pytest.raises(InputError, match=r"no scenario\.yaml here"):
        find_scenario(tmp_path)
    with pytest.raises(UnknownNameError, match="no scenario 'nothing-of-that-name'"):
        find_scenario("nothing-of-that-name")


def test_an_attempt_keeps_everything_but_the_answers(write):
    """Solution, wrong answers, caches, hidden files and attempts lying about are not copied to a trainee."""
    folder = write()
    for name in (
        "solution.py",
        "wrong/slow.py",
        "__pycache__/x.pyc",
        ".git/config",
        "img/a.svg",
        "my/manifest.json",
        "my/h/x",
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    files = scenario_files(folder)
    assert list(files) == ["brief.en.md", "brief.zh-Hans.md", "brief.zh-Hant.md", "img/a.svg", "scenario.yaml"]
    assert files["scenario.yaml"].startswith(b"labsim: 1")


def test_wrong_answers_are_read_without_running_them(write):
    """LOSES is a literal in the script; nothing of it is executed."""
    wrong = write() / "wrong"
    wrong.mkdir()
    (wrong / "slow.py").write_text('"""Slow."""\nraise SystemExit\nLOSES = {"decode": 4}\n', encoding="utf-8")
    (wrong / "typed.py").write_text('LOSES: dict[str, float] = {"write": 2.5}\n', encoding="utf-8")
    answers = wrong_answers(wrong.parent)
    assert [(a.path.name, a.loses) for a in answers] == [("slow.py", {"decode": 4}), ("typed.py", {"write": 2.5})]
    assert wrong_answers(wrong) == []


@pytest.mark.parametrize(
    "script",
    ["x = 1\n", "LOSES = {'decode': 'all'}\n", "LOSES = f()\n", "LOSES = {[]: 1}\n", "def (\n", "\0", "LOSES: dict"],
)
def test_a_wrong_answer_that_does_not_say_what_it_loses_is_a_problem(write, script):
    """Each way not to say it gives one problem in that script."""
    wrong = write() / "wrong"
    wrong.mkdir()
    (wrong / "x.py").write_text(script, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        wrong_answers(wrong.parent)
    (problem,) = caught.value.problems
    assert problem.code == "bad-wrong-answer"
    assert problem.line == 1


def test_lint_compares_wrong_answers_with_the_tasks(write, catalogue):
    """A wrong answer can lose only tasks and penalties that exist, and no more than they are worth."""
    wrong = write() / "wrong"
    wrong.mkdir()
    (wrong / "x.py").write_text("LOSES = {'decod': 4, 'write': 3, 'decode': 10, 'penalty.1': 3}\n", encoding="utf-8")
    messages = [str(p).split(": ", 1)[1] for p in lint_scenario(wrong.parent, catalogue)]
    assert messages == [
        "LOSES: there is no task 'decod'. Did you mean 'decode'?",
        "LOSES: write cannot lose 3 of 2.5 marks.",
    ]


def test_peek_shows_a_scenario_that_would_not_load(write):
    """The catalogue lists a scenario by its head, whatever is wrong further down."""
    entry = peek(write(("modbus.polled:", "nothing.known:")))
    assert (entry.id, entry.level, entry.minutes, entry.competences) == ("read-a-meter", "junior", 45, ("NET-J1",))
    assert entry.title.say("zh-Hant") == "讀電表"
    with pytest.raises(ScenarioError, match="'level' is missing"):
        peek(write(("level: junior\n", "")))


def test_a_wrong_answer_that_says_it_loses_nothing_is_told(write, catalogue):
    """It would prove nothing."""
    folder = write()
    (folder / "wrong").mkdir()
    (folder / "wrong" / "x.py").write_text("LOSES = {}\n", encoding="utf-8")
    (problem,) = lint_scenario(folder, catalogue)
    assert (problem.code, problem.line) == ("bad-wrong-answer", 1)
