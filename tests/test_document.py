"""Documents: YAML as plain data, each value with its place, and mistakes as sentences."""

from __future__ import annotations

import contextlib
import json
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, model_validator

from labsim.document import parse_document, read_document
from labsim.errors import InputError, ScenarioError
from labsim.quantity import Duration, ToleranceField
from labsim.text import Text


def data(text: str):
    """The data of a YAML text."""
    return parse_document(text, "f").data


def problems(text: str) -> list[str]:
    """The problems of a YAML text that is none."""
    with pytest.raises(ScenarioError) as caught:
        parse_document(text, "f")
    return [str(p) for p in caught.value.problems]


def test_words_of_yaml_1_1_are_texts():
    """`yes`, `no` and `on` are words; times and dates are texts; only true and false are truth values."""
    assert data("[yes, no, on, off, y, n, 12:30, 2026-01-01, =, true, False]") == [
        "yes", "no", "on", "off", "y", "n", "12:30", "2026-01-01", "=", True, False,
    ]  # fmt: skip


def test_numbers_are_those_of_yaml_1_2():
    """Exponents need no point, octal is 0o, and a leading zero makes a text, as in a PIN."""
    assert data("[1, -2, +3, 0x1F, 0o17, 1e3, 1.5, .5, 1., -1E-2, 010, 00, 1_000, .inf]") == [
        1, -2, 3, 31, 15, 1000.0, 1.5, 0.5, 1.0, -0.01, "010", "00", "1_000", float("inf"),
    ]  # fmt: skip
    assert type(data("1e3")) is float


def test_quotes_and_the_text_tag_make_texts():
    """What stands in quotes is a text, whatever it looks like."""
    assert data("['1', \"true\", '', !!str 1, ! 2, ~, ]") == ["1", "true", "", "1", "2", None]


def test_keys_are_whole_numbers_or_texts():
    """Unit ids are numbers; `on`, `null`, `true` and `1.5` as keys are words."""
    assert data("{11: a, 0x10: b, '12': c, on: d, true: e, null: f, 1.5: g, ~: h}") == {
        11: "a", 16: "b", "12": "c", "on": "d", "true": "e", "null": "f", "1.5": "g", "~": "h",
    }  # fmt: skip


def test_places_of_values_and_keys():
    """Line and column count from 1, in characters, for keys, values, items and texts over several lines."""
    root = parse_document("標題: {名: 甲, b: [1,\n   22]}\nt: |\n  line\n  line\nq: 'a\n  b'\nlast:\n", "f").root
    assert root.place(("標題", "b")) == (1, 15)
    assert root.place(("標題", "b"), key=True) == (1, 12)
    assert root.place(("標題", "b", 1)) == (2, 4)
    assert root.place(("t",)) == (3, 4)
    assert root.place(("q",)) == (6, 4)
    assert root.place(("last",), key=True) == (8, 1)
    assert root.place(()) == (1, 1)


def test_an_unknown_path_stands_at_the_key_that_should_hold_it():
    """A place is never invented: what is missing is told at the deepest thing that is there."""
    root = parse_document("a:\n  b:\n    c: 1\nl:\n  - x: 1\n", "f").root
    assert root.place(("a", "b", "nothing", "more")) == (2, 3)
    assert root.place(("l", 0, "nothing")) == (5, 5)
    assert root.place(("nothing",)) == (1, 1)


def test_an_alias_stands_where_it_is_written_and_its_parts_where_they_are():
    """The same data under two keys keeps two places for itself and one for what is inside."""
    document = parse_document("a: &x {b: 1}\nc: *x\n", "f")
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}}
    assert document.root.place(("c",)) == (2, 4)
    assert document.root.place(("c",), key=True) == (2, 1)
    assert document.root.place(("a",), key=True) == (1, 1)
    assert document.root.place(("c", "b")) == (1, 11)


def test_merge_keys_take_in_and_own_keys_win():
    """`<<` takes a mapping or a list of them; own keys win over merged ones, earlier mappings over later."""
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 3}\nd: {<<: *a}\ne: {'<<': 1}\n"
    document = parse_document(text, "f")
    assert document.data["c"] == {"x": 3, "y": 1, "z": 2}
    assert document.data["e"] == {"<<": 1}
    assert document.root.place(("c", "z")) == (2, 17)
    assert problems("a: {<<: 1}") == ["f:1:5: '<<' takes in the keys of a mapping, such as *name."]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "f:1:1: the file is empty."),
        ("# only a comment\n", "f:2:1: the file is empty."),
        ("a: 1\na: 2\n", "f:2:1: the key 'a' stands twice; the first is on line 1. Delete or rename one."),
        ("u: {1: a, '1': b}", "f:1:11: the key '1' stands twice; the first is on line 1. Delete or rename one."),
        ("a: 1\n---\nb: 1\n", "f:2:1: a second document begins here; a file holds one."),
        ("a:\n\tb: 1\n", "f:2:1: a tab stands in the indentation. Use spaces; YAML takes no tabs there."),
        ("a: b: c", "f:1:5: a ':' stands where no key can be."),
        ("a: 'x\nb: 1\n", "f:1:4: the quote that opens here is never closed. Close it."),
        ("a: {b: 1\nc: 2\n", "f:2:2: a ',' or '}' is missing before this. The brace opens on line 1."),
        (
            "a: {b: ${c}}",
            "f:1:9: a ',' or '}' is missing before this. Inside braces and brackets write a placeholder in",
        ),
        ("a: [1, 2\n", "f:2:1: a ',' or ']' is missing before this. The bracket opens on line 1."),
        ("a: @b", "f:1:4: no value can begin with '@'. Put the text in quotes."),
        ('a: "\\q"', "f:1:5: a backslash in double quotes begins an escape, and this is none."),
        ("a: *nowhere", "f:1:4: nothing above is named &nowhere."),
        ("a: &b 1\nc: *bb", "f:2:4: nothing above is named &bb. Did you mean 'b'?"),
        ("a: &a [*a]", "f:1:8: *a stands inside what it names."),
        ("? [1]\n: 2\n", "f:1:3: a key is a word or a whole number."),
        ("a: !!python/object:os.system x", "f:1:4: the tag"),
        ("a: !x {b: 1}", "f:1:4: the tag"),
        ("é\x00", "f:1:2: the character U+0000 cannot stand in YAML."),
        ("a\u2028b", "f:1:2: the character U+2028 cannot stand in YAML."),
        ("a: " + "9" * 40, "f:1:4: the number is too long. Put it in quotes if it is a text."),
        ("[" * 900, "f:1:42: values are nested more than 40 levels deep here."),
        ("- " * 5_000, "f:1:83: values are nested more than 40 levels deep here."),
    ],
)
def test_what_is_no_yaml_is_told_in_a_sentence(text, told):
    """Each mistake is one problem with its place and, where there is one, the way out."""
    (problem,) = problems(text)
    assert problem.startswith(told)


def test_aliases_cannot_make_a_small_file_large():
    """A billion laughs stop at the first alias that would go over the bound."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (problem,) = problems("\n".join(lines))
    assert "more than 200000 values once its aliases are filled in" in problem


def test_several_mistakes_come_together():
    """Duplicate keys, bad tags and unknown aliases are all told, not the first alone."""
    assert len(problems("a: *x\na: 1\nb: !y 2\n? {c: 1}\n: 1\n")) == 4


def test_a_file_is_utf_8_with_or_without_a_mark(tmp_path):
    """A byte order mark and Windows line ends are no part of the data; places count without them."""
    path = tmp_path / "x.yaml"
    path.write_bytes("\ufefftitle: 表\r\nn: x\r\n".encode())
    document = read_document(path)
    assert document.data == {"title": "表", "n": "x"}
    assert document.root.place(("n",)) == (2, 4)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("ok: 1\nä: \xff".encode("latin-1"), ":2:1: the byte 0xE4 is not UTF-8."),
        ("a: 1".encode("utf-16"), ":1:1: the byte"),
    ],
)
def test_another_encoding_is_told_at_its_first_byte(tmp_path, raw, told):
    """A file in Latin-1 or UTF-16 says where it stops being UTF-8."""
    path = tmp_path / "x.yaml"
    path.write_bytes(raw)
    with pytest.raises(ScenarioError) as caught:
        read_document(path, "x.yaml")
    assert str(caught.value).startswith("x.yaml" + told)


def test_what_cannot_be_read_is_an_input_error(tmp_path):
    """No file, a folder, and a file too large are told without a traceback."""
    for path in (tmp_path / "nothing.yaml", tmp_path):
        with pytest.raises(InputError):
            read_document(path)
    (tmp_path / "large.yaml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(InputError, match="1000001 bytes"):
        read_document(tmp_path / "large.yaml")


class Inner(BaseModel):
    """A part with a required key."""

    model_config = ConfigDict(extra="forbid")
    speed: int
    unit: Annotated[int, Field(ge=0, le=255)] = 1


class Model(BaseModel):
    """One field of every kind that scenarios and interfaces use."""

    model_config = ConfigDict(extra="forbid")
    text: str = ""
    title: Text = Text(en="x")
    other: Text | None = None
    whole: int = 0
    number: float = 0
    truth: bool = True
    kind: Literal["Observer", "Operator"] = "Observer"
    either: float | str = 0
    items: tuple[str, ...] = ("x",)
    some: Annotated[tuple[int, ...], Field(min_length=1, max_length=2)] = (1,)
    pair: tuple[int, int] = (0, 0)
    inner: Inner = Inner(speed=1)
    parts: dict[str, Inner] = {}
    one_or_many: Inner | list[Inner] = []
    units: dict[Annotated[int, Field(ge=0, le=255)], Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]] = {}
    every: Duration = 1
    tolerance: ToleranceField | None = None
    above: Annotated[float, Field(gt=0)] = 1

    @model_validator(mode="after")
    def _rule(self) -> Model:
        if self.text == "forbidden":
            raise ValueError("this text is not wanted")
        return self


@pytest.mark.parametrize(
    ("yaml", "told"),
    [
        ("text: 5", """f:1:7: text: 5 is not a text. Put it in quotes: "5"."""),
        ("text: true", "f:1:7: text: true is not a text. Put it in quotes:"),
        ("text:", "f:1:6: text: nothing stands where a text is expected."),
        ("text: [a]", "f:1:7: text: a list stands where a text is expected."),
        ("text: forbidden", "f:1:1: the file: this text is not wanted."),
        ("title: 5", "f:1:8: title: write a text, or one per language: {en: …, zh-Hant: …, zh-Hans: …}."),
        ("title: {zh_Hant: x}", "f:1:9: title: unknown key 'zh_Hant'. Did you mean 'zh-Hant'?"),
        ("title: {en: 5}", """f:1:13: en: 5 is not a text. Put it in quotes: "5"."""),
        ("title: {}", "f:1:8: title: there must be at least one."),
        ("other: [x]", "f:1:8: other: write a text, or one per language"),
        ("whole: x", "f:1:8: whole: 'x' is not a whole number."),
        ("whole: 1.5", "f:1:8: whole: 1.5 is not a whole number."),
        ("number: x", "f:1:9: number: 'x' is not a number."),
        ("truth: maybe", "f:1:8: truth: 'maybe' is not true or false."),
        ("kind: Operater", "f:1:7: kind: 'Operater' is not a value it can have. Did you mean 'Operator'?"),
        ("kind: x", "f:1:7: kind: 'x' is not a value it can have. Write one of Observer, Operator."),
        ("either: {a: 1}", "f:1:9: either: a mapping stands where a number or a text is expected."),
        ("items: x", "f:1:8: items: 'x' is not a list. Write [x]."),
        ("items: [x, 5]", "f:1:12: items, item 2: 5 is not a text."),
        ("some: []", "f:1:7: some: there must be at least one."),
        ("some: [1, 2, 3]", "f:1:7: some: it has 3 items, more than 2."),
        ("some: [x]", "f:1:8: some, item 1: 'x' is not a whole number."),
        ("pair: [1]", "f:1:1: pair: item 2 is missing."),
        ("inner: {}", "f:1:1: the key 'speed' is missing."),
        ("inner: 5", "f:1:8: inner: 5 is not a mapping of keys and values."),
        ("parts: {a: {unit: 300, speed: 1}}", "f:1:19: unit: 300 is more than 255, the most it may be."),
        ("parts: {a: {speed: 1, unit: -1}}", "f:1:29: unit: -1 is less than 0, the least it may be."),
        ("parts: {a: {speed: 1, units: 1}}", "f:1:23: unknown key 'units'. Did you mean 'unit'?"),
        ("one_or_many: [{speed: x}]", "f:1:23: speed: 'x' is not a whole number."),
        ("one_or_many: {speed: 1, spead: 2}", "f:1:25: unknown key 'spead'. Did you mean 'speed'?"),
        ("one_or_many: 5", "f:1:14: one_or_many: 5 is not a mapping of keys and values or a list."),
        ("units: {300: a}", "f:1:9: units: 300 is more than 255, the most it may be."),
        ("units: {x: a}", "f:1:9: units: 'x' is not a whole number."),
        ("units: {5: A}", "f:1:12: units 5: 'A' is not lower-case letters, digits and underscores, a letter first."),
        ("every: 3 minutes", "f:1:8: every: '3 minutes' is not a duration; write a number and a unit"),
        ("tolerance: -1", "f:1:12: tolerance: -1 is not a tolerance;"),
        ("above: 0", "f:1:8: above: 0 must be more than 0."),
        ("wole: 1", "f:1:1: unknown key 'wole'. Did you mean 'whole'?"),
        ("5", "f:1:1: the file: 5 is not a mapping of keys and values."),
        ("[]", "f:1:1: the file: a list stands where a mapping of keys and values is expected."),
    ],
)
def test_a_fault_of_a_model_is_one_sentence(yaml, told):
    """Whatever pydantic makes of it, unions included, the author reads one sentence without its jargon."""
    document = parse_document(yaml, "f")
    assert document.validate(Model, document.data) is None
    (problem,) = map(str, document.problems)
    assert problem.startswith(told)
    assert not any(word in problem.lower() for word in ("input should", "pydantic", "validat", "literal", "dictionary"))


def test_a_valid_model_has_no_problem():
    """Good data comes back as the model, and `done` has nothing to raise."""
    document = parse_document("{units: {11: meter1}, every: 3 min, title: x}", "f")
    model = document.validate(Model, document.data)
    document.done()
    assert model is not None
    assert (model.units, model.every, model.title) == ({11: "meter1"}, 180.0, Text(en="x"))


def test_muted_paths_tell_nothing_more():
    """A mistake that is told already hides what follows from it, and nothing else."""
    document = parse_document("a: {b: 1, c: 2}", "f")
    document.muted.add(("a", "b"))
    for path in (("a", "b"), ("a", "b", "x"), ("a", "c")):
        document.problem(path, "bad-value", "wrong.")
    assert [p.column for p in document.problems] == [14]


def test_patterns_find_every_place():
    """`*` stands for every key or item; what has another shape is passed over."""
    document = parse_document("tasks: [{id: a, n: [1]}, 5, {id: b}]", "f")
    assert list(document.each("tasks", "*", "id")) == [(("tasks", 0, "id"), "a"), (("tasks", 2, "id"), "b")]
    assert list(document.each("tasks", 0, "n", 0)) == [(("tasks", 0, "n", 0), 1)]
    assert list(document.each("nothing", "*")) == []


_PRINTABLE = st.characters(exclude_categories=["Cc", "Zl", "Zp", "Cs", "Cn"], exclude_characters="\ufeff")
_TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(_PRINTABLE, max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=12,
)


@given(_TREES)
def test_json_is_read_as_json(tree):
    """Every JSON document is YAML with the same data."""
    assert data(json.dumps(tree, ensure_ascii=False)) == tree


@settings(max_examples=300)
@given(st.text(st.sampled_from("ab:-?[]{}&*!|>'\"%@`#,<= \n\t0.1é\x00\u2028\ud800") | st.characters(), max_size=60))
def test_no_text_raises_anything_but_problems(text):
    """Whatever stands in a file, its reader gets data or problems with a place inside it."""
    with contextlib.suppress(ScenarioError):
        parse_document(text, "f")


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(list(Model.model_fields)), _TREES, max_size=4))
def test_no_data_raises_anything_but_problems(tree):
    """Whatever stands where a model is expected, each fault is a sentence."""
    document = parse_document(json.dumps(tree, ensure_ascii=False), "f")
    if document.validate(Model, document.data) is None:
        assert document.problems
        assert all(p.message.endswith((".", "?", "!")) and p.line for p in document.problems)


def test_endless_nesting_is_one_problem():
    """However deep it goes, nesting is one problem, told by us or, sooner, by the parser."""
    (problem,) = problems("[" * 100_000)
    assert problem.endswith(": values are nested more than 40 levels deep here.")
