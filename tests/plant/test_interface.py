from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labsim.errors import InputError, ScenarioError
from labsim.plant.interface import Interface, SettingSpec, load_interface

GOOD = """\
type: gauge
title: Gauge
about: Measures
identification: {manufacturer: M, model: G, revision: "1", serial: "{number:08d}"}
settings:
  base_register: {type: integer, range: [0, 400], default: 0, title: Base}
  word_order: {type: choice, choices: [ABCD, CDAB], default: ABCD, title: Order}
tags:
  flow: {type: f32, unit: m³/h, range: [0, 100], title: Flow}
  valve: {type: bool, access: rw, title: Valve}
  ratio: {type: f32, access: rw, title: Ratio}
  name: {type: text, title: Name}
modbus:
  registers:
    - {doc: 1, tag: flow, type: f32}
    - {doc: 3, tag: name, type: text, words: 8}
    - {doc: 1, tag: valve, type: bool, table: coil, access: rw}
opcua:
  namespace: urn:g
  type_name: GaugeType
  nodes: {Measurements/Flow: flow, Valve: valve}
mqtt:
  messages: [{topic: "g/{device}", tags: [flow, name]}]
"""


def load(folder: Path, text: str) -> Interface:
    """The interface in ``text``."""
    path = folder / "interface.yaml"
    path.write_text(text, encoding="utf-8")
    return load_interface(path)


def problems(folder: Path, text: str) -> list[tuple[int, str, str]]:
    """Line, code and sentence of every problem of ``text``."""
    with pytest.raises(ScenarioError) as caught:
        load(folder, text)
    return [(p.line, p.code, f"{p.message} {p.hint}".strip()) for p in caught.value.problems]


def test_an_interface_is_read(tmp_path: Path):
    """A whole interface gives its protocols and typed parts."""
    interface = load(tmp_path, GOOD)
    assert interface.protocols == ("opcua", "modbus", "mqtt")
    assert interface.modbus is not None
    assert [register.size for register in interface.modbus.registers] == [2, 8, 1]
    assert interface.tags["flow"].first == 0


def test_all_problems_of_shape_are_reported_where_they_stand(tmp_path: Path):
    """A wrong unit, a key nobody knows and a bad type are three problems at three lines, not one at a time."""
    text = (
        GOOD.replace("unit: m³/h", "unit: m3h")
        .replace("access: rw, title: Valve", "acces: rw, title: Valve")
        .replace("type: f32}", "type: f33}")
    )
    found = problems(tmp_path, text)
    assert [(line, code) for line, code, _ in found] == [(9, "bad-value"), (10, "unknown-key"), (15, "bad-value")]
    assert "Did you mean 'access'?" in found[1][2]


@pytest.mark.parametrize(
    ("old", "new", "line", "code", "says"),
    [
        ("tag: flow, type: f32", "tag: flaw, type: f32", 15, "unknown-tag", "Did you mean 'flow'"),
        ("doc: 3", "doc: 2", 16, "overlap", "overlaps the one at 1"),
        ("doc: 1, tag: flow", "doc: 0, tag: flow", 15, "bad-address", "wire address -1"),
        ("doc: 3", "doc: 65534", 16, "bad-address", "outside 0 to 65535"),
        ("tag: name, type: text, words: 8", "tag: name, type: u16", 16, "bad-type", "text tag"),
        ("tag: valve, type: bool", "tag: ratio, type: bool", 17, "bad-type", "f32 tag"),
        ("valve: {type: bool, access: rw", "valve: {type: bool", 17, "bad-access", "cannot be written"),
        ("Valve: valve", "Measurements: valve", 21, "overlap", "a variable and a folder"),
        ("Valve: valve", "Valves//V: valve", 21, "bad-path", "empty"),
        ("Valve: valve", "Valve: vale", 21, "unknown-tag", "Did you mean 'valve'"),
        (
            "type_name: GaugeType",
            "type_name: GaugeType\n  roles: {vale: {write: [Engineer]}}",
            21,
            "unknown-name",
            "'valve'",
        ),
        ("g/{device}", "g/{devise}", 23, "bad-value", "Did you mean 'device'"),
        ("g/{device}", "g/#", 23, "bad-topic", "wildcard"),
        ("tags: [flow, name]", "tags: [flow, nome]", 23, "unknown-tag", "Did you mean 'name'"),
        ("{number:08d}", "{numbr:08d}", 4, "bad-value", "Did you mean 'number'"),
        ("range: [0, 400]", "range: [-5, 400]", 6, "bad-setting", "range from 0"),
        ("choices: [ABCD, CDAB]", "choices: [ABCD, XYZ]", 7, "bad-setting", "ABCD, BADC, CDAB, DCBA"),
    ],
)
def test_parts_that_do_not_fit_are_reported_where_they_stand(
    tmp_path: Path, old: str, new: str, line: int, code: str, says: str
):
    """A name nothing has, an overlap, a type that cannot stand in a register: each with its line and what to do."""
    assert old in GOOD
    found = problems(tmp_path, GOOD.replace(old, new))
    assert [(where, what) for where, what, _ in found] == [(line, code)]
    assert says in found[0][2]


def test_all_conflicts_are_reported_together(tmp_path: Path):
    """Conflicts in Modbus, OPC UA and MQTT come in one go."""
    text = GOOD.replace("doc: 3", "doc: 2").replace("Valve: valve", "Valve: vale").replace("g/{device}", "g/+")
    assert [code for _, code, _ in problems(tmp_path, text)] == ["overlap", "unknown-tag", "bad-topic"]


def test_input_registers_overlap_holding_registers_only_when_they_are_the_same(tmp_path: Path):
    """With ``same_tables`` an input register may not lie on a holding register; without it may."""
    text = GOOD.replace("{doc: 3, tag: name, type: text, words: 8}", "{doc: 1, tag: flow, type: u16, table: input}")
    assert load(tmp_path, text)
    assert [c for _, c, _ in problems(tmp_path, text.replace("modbus:", "modbus:\n  same_tables: true"))] == ["overlap"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("{type: bool, access: rw", "{type: bool, range: [0, 1], access: rw", "a bool has no range"),
        ("range: [0, 100]", "range: [100, 0]", "low end, then its high end"),
        ("range: [0, 100]", "range: [10, 100], initial: 5", "outside the range"),
        ("{type: text,", "{type: text, initial: 5,", "is not a text"),
        ("{type: f32, unit", "{type: f32, labels: {0: Off}, unit", "labels name whole numbers"),
        ("type: text, words: 8", "type: text", "needs 'words'"),
        ("type: f32}", "type: f32, words: 3}", "needs 'words'"),
        ("type: f32}", "type: f32, scale: 0}", "loses the value"),
        ("type: bool, table: coil", "type: bool, table: discrete", "can be written"),
        ("default: ABCD", "default: DCBA", "is not one of ABCD, CDAB"),
        ("choices: [ABCD, CDAB], ", "", "a choice needs 'choices'"),
        ("range: [0, 400], default: 0", "range: [0, 400], default: 500", "outside 0 to 400"),
    ],
)
def test_a_part_that_cannot_be_is_refused(tmp_path: Path, old: str, new: str, says: str):
    """Ranges, initial values, labels, lengths and defaults that contradict themselves are refused with the reason."""
    assert old in GOOD
    found = problems(tmp_path, GOOD.replace(old, new, 1))
    assert len(found) == 1
    assert found[0][0] > 0
    assert says in found[0][2]


def test_a_missing_file_is_an_input_error(tmp_path: Path):
    """No interface.yaml is the user's to mend, with the file's name."""
    with pytest.raises(InputError, match=r"interface\.yaml"):
        load_interface(tmp_path / "interface.yaml")


@pytest.mark.parametrize(
    ("kind", "value", "parsed"),
    [
        ("integer", "20", 20),
        ("integer", 20.0, 20),
        ("number", "2.5", 2.5),
        ("duration", "2 min", 120.0),
        ("bool", "True", True),
        ("text", 5, "5"),
    ],
)
def test_a_setting_takes_what_a_person_types(kind: str, value: object, parsed: object):
    """Settings come from YAML, the command line and a form; each ends in the setting's own type."""
    default = {"bool": False, "text": ""}.get(kind, 1)
    result = SettingSpec.model_validate({"type": kind, "title": "T", "default": default}).parse(value)
    assert result == parsed
    assert type(result) is type(parsed)


@given(
    kind=st.sampled_from(["integer", "number", "duration", "bool"]),
    value=st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers(), max_size=2)
    ),
)
def test_a_setting_is_parsed_or_refused_with_a_sentence(kind: str, value: object):
    """Whatever is given, the outcome is a value in range or a ValueError; NaN and fractions of integers never pass."""
    spec = (
        {"type": kind, "title": "T", "default": False}
        if kind == "bool"
        else {"type": kind, "title": "T", "default": 1, "range": [0, 400]}
    )
    try:
        parsed = SettingSpec.model_validate(spec).parse(value)
    except ValueError as error:
        parsed, refused = None, str(error)
    if parsed is None:
        assert refused
    else:
        assert 0 <= float(parsed) <= 400
        assert kind != "integer" or isinstance(parsed, int)
