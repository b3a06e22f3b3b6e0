from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from grader.table import FileName, Row, TableError, read_rows


@pytest.mark.parametrize(
    "data",
    [
        b"tag,value\nu,231.5\n",
        b"\xef\xbb\xbfTag;Value\r\nu;231,5\r\n\r\n",
        "tag\tvalue\nu\t231.5".encode("utf-16"),
    ],
)
def test_spreadsheets_of_several_countries_are_read(data: bytes) -> None:
    """Commas, semicolons with decimal commas, tabs, byte order marks, and any case of the header."""
    assert read_rows(data, "map.csv", "tag", "value") == [Row(2, "u", "231.5")]


def test_the_usual_encoding_of_chinese_spreadsheets_is_read() -> None:
    """GB 18030 is tried when the file is not UTF-8."""
    assert read_rows("键,值\n电压,1\n".encode("gb18030"), "a.csv", "键", "值") == [Row(2, "电压", "1")]


@pytest.mark.parametrize(
    "data",
    [
        b'[{"tag": "u", "value": 1.5}]',
        b'{"rows": [{"tag": "u", "value": 1.5}]}',
        b'{"u": 1.5}',
        b'{"u": {"value": 1.5}}',
    ],
)
def test_json_may_be_a_list_or_an_object(data: bytes) -> None:
    """All four usual shapes give the same row."""
    assert read_rows(data, "map.json", "tag", "value") == [Row(1, "u", 1.5)]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "a.csv"),
        (b"x,y\n1,2\n", "a.csv"),
        (b"{", "a.json"),
        (b"3", "a.json"),
        (b"[1]", "a.json"),
        (b"\xff\xfe\x00", "a.csv"),
    ],
)
def test_what_cannot_be_rows_says_why(data: bytes, name: str) -> None:
    """A short reason, never another error."""
    with pytest.raises(TableError, match=r".+"):
        read_rows(data, name, "tag", "value")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode), st.sampled_from(["a.csv", "a.json"]))
def test_any_file_is_rows_or_a_reason(data: bytes, name: str) -> None:
    """Hand-in files never raise anything else."""
    try:
        rows = read_rows(data, name, "tag", "value", "time")
    except TableError:
        return
    assert all(isinstance(row.key, str) for row in rows)


@pytest.mark.parametrize("name", ["../a.csv", "a/../b.csv", "a//b.csv", "./a.csv", "/a.csv", "a.txt"])
def test_a_file_that_cannot_be_handed_in_is_told(name: str) -> None:
    """When the scenario is read: what lies outside the hand-in folder is never looked at."""
    with pytest.raises(ValidationError):
        TypeAdapter(FileName).validate_python(name)
