"""Loading and linting: what comes out of a good scenario, and where each mistake is told."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labsim.errors import InputError, ScenarioError
from labsim.scenario.load import lint_scenario, load_scenario
from labsim.scenario.problems import CARE, PROBLEMS


def test_a_good_scenario_has_no_problem(write, catalogue):
    """The scenario these tests start from is right in every respect."""
    assert lint_scenario(write(), catalogue) == []


def test_file_and_folder_are_both_paths_of_a_scenario(write, catalogue):
    """A scenario may be named by its folder or by its file, and knows its folder either way."""
    folder = write()
    first, second = (load_scenario(p, seed=1, catalogue=catalogue) for p in (folder, folder / "scenario.yaml"))
    assert first == second
    assert first.folder == folder


def test_checks_keep_plain_parameters_and_lose_the_general_keys(write, catalogue):
    """`marks`, `id` and `depends` are taken out of a check's mapping; the rest are its parameters, as written."""
    scenario = load_scenario(write(), seed="s", catalogue=catalogue)
    polled, values = scenario.tasks[0].checks
    assert (polled.id, polled.check, polled.marks) == ("decode.1", "modbus.polled", 4)
    assert polled.params == {"device": "meter1", "every": "1 s", "within": "20 %", "for": "3 min"}
    assert (values.id, values.depends) == ("decode.2", ("decode.1",))
    assert scenario.tasks[1].checks[0].id == "calm"
    assert [p.id for p in scenario.penalties] == ["penalty.1"]
    assert scenario.marks == 12.5


def test_placeholders_keep_the_type_alone_and_become_text_in_company(write, catalogue):
    """A whole "${base}" is a number where a number is drawn; inside a sentence it is text; as a key it is a unit id."""
    scenario = load_scenario(write(), seed="abc", catalogue=catalogue)
    drawn = scenario.drawn
    assert scenario.plant["meter1"].settings == {"word_order": drawn["order"], "base_register": drawn["base"]}
    assert isinstance(scenario.plant["meter1"].settings["base_register"], int)
    assert scenario.endpoints[0].modbus.units == {drawn["unit"]: "meter1"}
    assert scenario.tasks[0].title["en"] == f"Decode unit {drawn['unit']}"


def test_a_doubled_dollar_writes_a_plain_placeholder(write, catalogue):
    """`$${` is the escape for `${`."""
    folder = write(('en: "Look"', 'en: "Write $${unit} or ${unit}"'))
    scenario = load_scenario(folder, seed=1, catalogue=catalogue)
    assert scenario.tasks[0].hints[0].text["en"] == f"Write ${{unit}} or {scenario.drawn['unit']}"


def test_a_number_as_password_is_its_digits(write, catalogue):
    """An account's password may be drawn from a range or written without quotes."""
    assert load_scenario(write(), seed=1, catalogue=catalogue).endpoints[1].opcua.users[0].password == "1234"


def test_five_mistakes_are_five_problems_in_their_places(write, catalogue):
    """A file with five mistakes of different kinds gives exactly those five, as `file:line:column: message hint`."""
    folder = write(
        ("competences:", "competencies:"),
        ("type: mill\n", "type: mil\n"),
        ('"${base}"}}', '"${bass}"}}'),
        ("every: 1 s", "every: 1 fortnight"),
        ("marks: 10\n", "marks: 11\n"),
    )
    assert [str(p).removeprefix(str(folder)).replace("\\", "/") for p in lint_scenario(folder, catalogue)] == [
        "/scenario.yaml:6:1: unknown key 'competencies'. Did you mean 'competences'?",
        "/scenario.yaml:12:82: there is no variant 'bass'. Did you mean 'base'?",
        "/scenario.yaml:14:11: there is no device type 'mil'. Did you mean 'mill'?",
        "/scenario.yaml:27:12: marks: 11 is not the sum of the checks' marks, which is 10.",
        "/scenario.yaml:29:48: every: '1 fortnight' is not a duration; write a number and a unit, such as '500 ms', "
        "'3 min' or '1 h'.",
    ]


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        ("level: junior", "level: juniour", "bad-value", "juniour"),
        ("level: junior\n", "", "missing-key", "labsim: 1"),
        ("minutes: 45", "minutes: true", "bad-value", "true"),
        ("competences: [NET-J1]", "competences: NET-J1", "bad-value", "NET-J1"),
        ("type: mill\n", "type: mill\n    titel: x\n", "unknown-key", "titel: x"),
        ("type: mill\n", "type: null\n", "bad-value", "null"),
        ('word_order: "${order}"', 'word_order: "x${order}"', "bad-setting", '"x${order}"'),
        ("devices: [mill1]", "devices: [mill2]", "unknown-device", "mill2]"),
        ("devices: [mill1]", "devices: [mill1, meter1]", "wrong-protocol", "meter1]"),
        ("port: 5020", "port: 4840", "duplicate-port", "4840"),
        ("- opcua:", "- opcuaa:", "unknown-key", "opcuaa:"),
        ("port: 4840", "port: 70000", "bad-value", "70000"),
        ("role: Operator}]", "role: Operator}, {name: ann, password: b}]", "duplicate-id", "ann, password: b}]"),
        ("at: 10 min", "at: soon", "bad-value", "soon"),
        ("setting: word_order", "setting: wordorder", "unknown-setting", "wordorder"),
        ("value: DCBA", "value: DCAB", "bad-setting", "DCAB}"),
        (", value: DCBA", "", "bad-value", "{at: 10 min"),
        ("device: meter1, setting: word_order, value: DCBA", "link: modbuss, state: reset", "unknown-link", "modbuss"),
        ("device: meter1, setting: word_order, value: DCBA", "link: mqtt, state: reset", "unknown-link", "mqtt"),
        (
            "device: meter1, setting: word_order, value: DCBA",
            "link: opcua:4841, state: reset",
            "unknown-link",
            "opcua:4841",
        ),
        ("device: meter1, setting: word_order, value: DCBA", "link: modbus, state: slwo", "bad-value", "slwo"),
        ("device: meter1, setting: word_order, value: DCBA", "link: modbus, state: slow", "bad-value", "{at: 10 min"),
        (
            "device: meter1, setting: word_order, value: DCBA",
            "link: modbus, state: reset, rate: 5",
            "bad-value",
            "{at: 10 min",
        ),
        (
            "device: meter1, setting: word_order, value: DCBA",
            "link: modbus, state: reset, client: 127.0.0.256",
            "bad-value",
            "127.0.0.256",
        ),
        ("device: meter1, setting", "device: meter1, link: modbus, setting", "bad-value", "{at: 10 min"),
        ("device: meter1, setting", "device: meter1, delay: 1 s, setting", "bad-value", "{at: 10 min"),
        ("device: meter1, setting: word_order, value: DCBA", "link: modbus, stat: slow", "unknown-key", "stat: slow"),
        ("modbus.polled:", "modbus.pooled:", "unknown-check", "modbus.pooled:"),
        ("{device: meter1, every", "{device: metre1, every", "unknown-device", "metre1, every"),
        ("every: 1 s, ", "evry: 1 s, every: 1 s, ", "unknown-key", "evry: 1 s"),
        ("every: 1 s, ", "", "missing-key", "modbus.polled:"),
        ("meter1.current]", "meter1.curent]", "unknown-tag", "meter1.curent]"),
        ("meter1.current]", "metre1.current]", "unknown-device", "metre1.current]"),
        ("meter1.current]", "Meter1]", "bad-value", "Meter1]"),
        ("depends: [decode.1]", "depends: [decode.9]", "unknown-dependency", "decode.9]"),
        ("depends: [decode.1]", "depends: [decode.2]", "dependency-cycle", "[decode.2]"),
        ("depends: [decode]\n", "depends: [dekode]\n", "unknown-dependency", "dekode]"),
        ("- id: write", "- id: decode", "duplicate-id", "decode"),
        ("id: calm", "id: decode.1", "duplicate-id", "decode.1}"),
        ("- id: write", "- id: Write", "bad-value", "Write"),
        ("cost: 1}", "cost: 11}", "hint-cost", "11}"),
        ("brief.md#decode", "brief.md#decoding", "missing-brief", "brief.md#decoding"),
        ('zh-Hant: "寫", ', "", "missing-language", '{en: "Write"'),
        ('zh-Hant: "寫"', 'zh_Hant: "寫", zh-Hant: "寫"', "unknown-key", 'zh_Hant: "寫"'),
        ("order: {choose: [ABCD, CDAB]}", "order: {choose: [ABCD, CDBA]}", "bad-setting", '"${order}"'),
        ("base: {range: [0, 400], step: 20}", "base: {range: [400, 0]}", "bad-value", "{range: [400, 0]}"),
        ("  order: {", "  spare: {choose: [1]}\n  order: {", "unused-variant", "spare: {"),
        ("unit: {choose: [11, 12, 13]}", "unit: {choose: [11, 300]}", "bad-value", '"${unit}": meter1'),
        ("modbus.polled: {device", "modbus.polled: 3\n      - modbus.polled: {device", "bad-check", "modbus.polled: 3"),
        ("brief: brief.md#decode", "brief: Brief", "bad-value", "Brief"),
        ("brief: brief.md#decode", "brief: brif.md#decode", "missing-brief", "brif.md#decode"),
        ("- id: decode\n", "- id: decode\n    7: x\n", "unknown-key", "7: x"),
        ("{device: meter1, every", "{7: 1, device: meter1, every", "unknown-key", "7: 1"),
        ("{type: power-meter, settings: {", "{type: power-meter, settings: {7: 1, ", "bad-value", "7: 1"),
        ("for: 3 min", "for: [3]", "bad-value", "[3]"),
        ("marks: 4}", "marks: null}", "bad-value", "null}"),
        ("marks: 4}", "}", "missing-key", "modbus.polled:"),
        ("for: 3 min", 'for: "${bass}"', "unknown-variant", '${bass}"'),
        ("for: 3 min", 'for: "1 ${unit}0 ${bass}"', "unknown-variant", '${bass}"'),
        ('{"${unit}": meter1}', '{"${unt}": meter1}', "unknown-variant", '${unt}": meter1'),
        ('{"${unit}": meter1}', '{12: meter1, "1${unit}": meter1}', "bad-value", '"1${unit}"'),
        ('{"${unit}": meter1}', '{12: meter1, "${unit}": meter1}', "duplicate-key", '"${unit}"'),
        ("file: map.csv", "file: |\n            a\n            b ${bass}\n", "unknown-variant", "${bass}"),
        ("file: map.csv", "file: &f '${bass}'", "unknown-variant", "${bass}'"),
        ("for: 3 min", "for: ${unit}", "yaml", "{unit}"),
        ("for: 3 min", 'for: "${long"', "bad-placeholder", '${long"'),
    ],
)
def test_each_mistake_is_told_once_at_its_place(told, old, new, code, place):
    """One mistake is one problem, with its code, at the line and column where the mistake stands."""
    problems = told((old, new))
    assert len(problems) == 1, problems
    assert problems[0][0] == code
    assert problems[0][1].startswith(place)


def test_a_check_whose_parameters_are_not_indented_is_explained(write, catalogue):
    """The commonest slip in a list of mappings gets its own advice."""
    folder = write(
        ("- plant.never: {tag: mill1.tripped, marks: 2.5, id: calm}", "- plant.never:\n        tag: mill1.tripped")
    )
    problems = lint_scenario(folder, catalogue)
    assert len(problems) == 1, problems
    problem = problems[0]
    assert problem.code == "bad-check"
    assert problem.hint == "Indent the parameters further than 'plant.never:'."


def test_positions_point_through_anchors_and_merges(told):
    """A mistake that comes in by a merge key is told where it was written."""
    merged = "- plant.never: {<<: *never, marks: 3}"
    changes = (("penalties:\n  - plant.never: {tag: mill1.tripped, marks: 3}\n", f"penalties:\n  {merged}\n"),)
    marked = "- plant.never: &never {tag: mill1.triped, marks: 2.5, id: calm}"
    problems = told(("- plant.never: {tag: mill1.tripped, marks: 2.5, id: calm}", marked), *changes)
    assert {(code, place) for code, place in problems} == {
        ("unknown-tag", "mill1.triped, marks: 2.5, id: calm}"),
        ("duplicate-id", "calm}"),
    }


def test_alarms_and_methods_are_looked_up(told):
    """An alarm or a method that the device does not have is told where it stands; those it has are not."""
    check = "- plant.never: {tag: mill1.tripped, marks: 2.5, id: calm}"
    wrong = "- opcua.acts: {alarm: meter1.overlode, method: mill1.stop, marks: 2.5, id: calm}"
    assert {code for code, _ in told((check, wrong))} == {"unknown-alarm", "unknown-method"}
    right = "- opcua.acts: {alarm: meter1.overload, method: mill1.start, marks: 2.5, id: calm}"
    assert told((check, right)) == []


def test_unknown_placeholders_in_briefings_are_told_in_their_file(write, catalogue):
    """A briefing is part of the scenario: its placeholders are judged, at their own line and column."""
    folder = write()
    (folder / "brief.zh-Hans.md").write_text(
        "故事 ${order}\n\n## 解 {#decode}\n\n位 ${basis}\n## x {#write}\n", encoding="utf-8"
    )
    (problem,) = lint_scenario(folder, catalogue)
    assert (Path(problem.file).name, problem.line, problem.column) == ("brief.zh-Hans.md", 5, 3)
    assert problem.code == "unknown-variant"


def test_a_section_missing_in_one_language_is_care(write, catalogue):
    """Lint asks for all languages; a run does with those there are."""
    folder = write()
    (folder / "brief.zh-Hant.md").write_text("故事\n", encoding="utf-8")
    (problem,) = lint_scenario(folder, catalogue)
    assert problem.code == "missing-language"
    assert "brief.zh-Hant.md has no heading" in problem.message
    assert load_scenario(folder, seed=1, catalogue=catalogue).id == "read-a-meter"


def test_drawn_values_are_taken_and_never_drawn_again(write, catalogue):
    """An attempt is loaded with the values of its manifest, whatever the seed says now."""
    drawn = {"order": "CDAB", "base": 40, "unit": 12}
    scenario = load_scenario(write(), seed="other", catalogue=None, drawn=drawn)
    assert scenario.drawn == drawn
    assert scenario.endpoints[0].modbus.units == {12: "meter1"}
    with pytest.raises(InputError, match="lack 'unit'"):
        load_scenario(write(), seed="other", catalogue=None, drawn={"order": "CDAB", "base": 40})


def test_a_grader_loads_without_devices_and_without_briefings(write, checks_only):
    """For grading it is enough to know the checks, or nothing at all."""
    folder = write()
    for brief in folder.glob("brief.*"):
        brief.unlink()
    drawn = {"order": "CDAB", "base": 40, "unit": 12}
    for catalogue in (checks_only, None):
        assert load_scenario(folder, seed=1, catalogue=catalogue, drawn=drawn).marks == 12.5


def test_problems_come_in_the_order_of_the_file(write, catalogue):
    """A reader mends from top to bottom."""
    folder = write(("minutes: 45", "minutes: x"), ("port: 4840", "port: x"), ("cost: 1}", "cost: x}"))
    with pytest.raises(ScenarioError) as caught:
        load_scenario(folder, seed=1, catalogue=catalogue)
    lines = [p.line for p in caught.value.problems]
    assert lines == sorted(lines)
    assert len(lines) == 3


def test_keys_of_the_model_that_are_not_the_authors_are_unknown(told):
    """`drawn` and `folder` belong to a loaded scenario, not to its file."""
    assert told(("level: junior", "level: junior\ndrawn: {}")) == [("unknown-key", "drawn: {}")]


def test_a_missing_file_says_so(tmp_path, catalogue):
    """A path that is nothing is an InputError, not a traceback."""
    with pytest.raises(InputError, match="no such file"):
        load_scenario(tmp_path / "nothing", seed=1, catalogue=catalogue)


def test_care_is_a_part_of_the_documented_problems():
    """Every code that only lint tells is a documented code."""
    assert set(PROBLEMS) > CARE


_TOKEN = re.compile(r"[A-Za-z0-9_.\-$\"{}]+")
_SCRAP = st.sampled_from([
    "", "  ", "- ", "x: 1", "${x}", "${unit}", "&a ", "*a", "<<: *a", "\t", "'", '"', "{}", "[]", "{", "]", "|", "~", "é",
    "1e999", "-1", ".nan", "null", "true", "9" * 23, "3 min", ":\n", "\n", "${", "$${", "#", "!!str ",
])  # fmt: skip


@st.composite
def _broken(draw: st.DrawFn, text: str) -> str:
    """The text with some of its tokens, or of its characters anywhere, replaced by scraps of YAML."""
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.booleans()):
            start, end = draw(st.sampled_from([found.span() for found in _TOKEN.finditer(text)]))
        else:
            start = draw(st.integers(0, len(text)))
            end = start + draw(st.sampled_from([0, 1, 2, 8, 40]))
        text = text[:start] + draw(_SCRAP | st.text(max_size=3)) + text[end:]
    return text


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_mutation_of_a_scenario_raises_anything_but_problems(write, catalogue, good, data):
    """However a file is broken, its author reads problems and never a traceback; each has a documented code and a place."""
    folder = write()
    (folder / "scenario.yaml").write_bytes(data.draw(_broken(good)).encode("utf-8", "replace"))
    for problem in lint_scenario(folder, catalogue):
        assert problem.code in PROBLEMS
        assert problem.line
        assert problem.column
        assert problem.message.endswith((".", "?", "!")), problem.message
    with contextlib.suppress(InputError):
        load_scenario(folder, seed=1, catalogue=catalogue)
