"""Hand-in files as series in time and as shapes."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from grader_bench import Bench
from hypothesis import given
from hypothesis import strategies as st

from grader.outcome import State
from grader.table import TableError, read_columns, read_data, read_rows
from grader.xlsx import sheet_cells


def stamp(t: float) -> str:
    """Plant seconds as the time clients saw."""
    return f"2026-01-01T00:{int(t) // 60:02d}:{t % 60:06.3f}Z"


def workbook(*lines: list[Any], shared: bool = True) -> bytes:
    """A workbook as Excel writes it: shared texts, and style 1 for dates."""
    texts: list[str] = []

    def cell(place: str, value: Any) -> str:
        if isinstance(value, bool):
            return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
        if isinstance(value, tuple):
            return f'<c r="{place}" s="1"><v>{value[0]}</v></c>'
        if isinstance(value, (int, float)):
            return f'<c r="{place}"><v>{value}</v></c>'
        if not shared:
            return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
        texts.append(value)
        return f'<c r="{place}" t="s"><v>{len(texts) - 1}</v></c>'

    rows = "".join(
        f'<row r="{n}">' + "".join(cell(f"{'ABCDEF'[c]}{n}", v) for c, v in enumerate(line) if v is not None) + "</row>"
        for n, line in enumerate(lines, 1)
    )
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        book.writestr(
            "xl/workbook.xml",
            f'<workbook {main} xmlns:r="{relation}"><sheets><sheet name="S" r:id="r1"/></sheets></workbook>',
        )
        book.writestr("xl/_rels/workbook.xml.rels", '<R><Relationship Id="r1" Target="worksheets/sheet1.xml"/></R>')
        book.writestr(
            "xl/styles.xml", f'<styleSheet {main}><cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>'
        )
        book.writestr(
            "xl/sharedStrings.xml", f"<sst {main}>{''.join(f'<si><t>{text}</t></si>' for text in texts)}</sst>"
        )
        book.writestr("xl/worksheets/sheet1.xml", f"<worksheet {main}><sheetData>{rows}</sheetData></worksheet>")
    return out.getvalue()


# ---- kinds of files ----


@pytest.mark.parametrize("shared", [True, False])
def test_a_workbook_is_a_table(shared: bool) -> None:
    """Texts shared or inline, numbers, truth values, dates, gaps."""
    data = workbook(
        ["Tag", "Value", "At"], ["u", 231.5, (46023.5,)], [None, True, (46023.0 + 1 / 86400,)], shared=shared
    )
    assert sheet_cells(data, 10) == [
        ["Tag", "Value", "At"], ["u", 231.5, "2026-01-01T12:00:00.000"], [None, True, "2026-01-01T00:00:01.000"],
    ]  # fmt: skip
    assert read_rows(data, "a.xlsx", "tag", "value")[0].value == 231.5
    assert read_data(data, "a.xlsx")[0] == {"Tag": "u", "Value": 231.5, "At": "2026-01-01T12:00:00.000"}


def test_yaml_is_as_good_as_json() -> None:
    """A mapping, a list of rows, a date; an alias, which can blow up, is none of it."""
    assert [row.value for row in read_rows(b"word_order: CDAB\nscale: 0.1\n", "a.yaml", "key", "value")] == [
        "CDAB",
        0.1,
    ]
    assert read_columns(b"- {t: 2026-01-01T00:00:00Z, v: 1}\n", "a.yml", ["t", "v"]) == [
        (1, ["2026-01-01T00:00:00+00:00", 1])
    ]
    with pytest.raises(TableError, match="aliases"):
        read_data(b"a: &a [1]\nb: *a\n", "a.yaml")


def test_rows_of_a_table_are_data() -> None:
    """Numbers are numbers, text is text."""
    assert read_data(b"n,x,s\n1,2.5,a\n", "a.csv") == [{"n": 1, "x": 2.5, "s": "a"}]


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.json", "a.yaml", "a.xlsx"]), st.booleans())
def test_any_file_is_data_or_a_reason(data: bytes, name: str, zipped: bool) -> None:
    """A stranger's file raises nothing but its reason."""
    if zipped:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as book:
            book.writestr("xl/workbook.xml", data)
        data = out.getvalue()
    for read in (
        lambda: read_data(data, name),
        lambda: read_columns(data, name, ["a"]),
        lambda: read_rows(data, name, "a", "b"),
    ):
        try:
            read()
        except TableError:
            continue


# ---- file.schema ----

SCHEMA = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("name", "text", "state"),
    [("a.yaml", "n: 1\n", State.PASSED), ("a.json", '{"n": "x"}', State.FAILED), ("a.json", "[", State.FAILED)],
)
def test_a_file_fits_its_schema(bench: Bench, name: str, text: str, state: State) -> None:
    """Or the place that does not."""
    bench.hand_in(name, text)
    assert bench.judge("file.schema", file=name, schema=SCHEMA).state is state


def test_rows_fit_a_schema_by_share(bench: Bench) -> None:
    """Two of three rows, and too few rows."""
    bench.hand_in("a.csv", "n\n1\nx\n3\n")
    outcome = bench.judge("file.schema", file="a.csv", schema=SCHEMA, rows=True)
    assert (outcome.score, outcome.actual) == (pytest.approx(2 / 3), "2/3")
    assert "row 2" in outcome.reason["en"]
    other = Bench(bench.folder.with_name("other"))
    other.hand_in("a.csv", "n\n1\n")
    assert other.judge("file.schema", file="a.csv", schema=SCHEMA, rows=True, at_least=2).score == 0.5


# ---- file.series ----

SERIES = {"file": "log.csv", "columns": {"temp": "oven1.temp"}, "tolerance": 0.1, "for": "10 s", "every": "1 s"}


def ramp(bench: Bench, end: int = 60) -> None:
    """One degree a second from 20 °C."""
    bench.true("oven1.temp", *((t / 10, 20 + t // 10) for t in range(end * 10)))
    bench.end = end


def log(rows: list[tuple[float, float]]) -> str:
    """Rows as CSV."""
    return "time,temp\n" + "".join(f"{stamp(t)},{value}\n" for t, value in rows)


def test_a_series_is_true_and_whole(bench: Bench) -> None:
    """A sample a second for ten seconds."""
    ramp(bench)
    bench.hand_in("log.csv", log([(t + 0.5, 20 + t) for t in range(12)]))
    assert bench.judge("file.series", **SERIES).state is State.PASSED


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([(t + 0.5, 20 + t) for t in range(20) if t not in (4, 5, 9, 10, 15, 16)], "missing"),
        ([(t + 0.5, 20 + t) for t in range(12)] + [(3.5, 23)], "again"),
        ([(t + 0.5, 25 + t) for t in range(12)], "not true"),
        ([(t + 100.5, 20 + t) for t in range(12)], "not true"),
    ],
)
def test_what_is_wrong_with_a_series_is_told(bench: Bench, rows: list[tuple[float, float]], word: str) -> None:
    """Gaps, doubles, values of another time, times outside the lab."""
    ramp(bench)
    bench.hand_in("log.csv", log(rows))
    outcome = bench.judge("file.series", **SERIES)
    assert outcome.state is State.FAILED
    assert word in outcome.reason["en"]


def test_every_change_is_there(bench: Bench) -> None:
    """One row per change passes, one change less does not."""
    ramp(bench, 30)
    params = {"file": "log.csv", "columns": {"temp": "oven1.temp"}, "changes": 5, "for": "10 s", "coverage": "100 %"}
    bench.hand_in("log.csv", log([(t, 20 + t) for t in range(1, 25)]))
    assert bench.judge("file.series", **params).state is State.PASSED
    other = Bench(bench.folder.with_name("other"))
    ramp(other, 30)
    other.hand_in("log.csv", log([(t, 20 + t) for t in range(1, 29, 2)]))
    assert other.judge("file.series", **params).state is State.FAILED


@pytest.mark.parametrize(("of", "value"), [("mean", 24.5), ("min", 20), ("max", 29), ("change", 9)])
def test_intervals_are_held_against_the_plant(bench: Bench, of: str, value: float) -> None:
    """Three intervals of ten seconds of a ramp; a value ten too high is not right."""
    ramp(bench, 40)
    rows = [(t, value + (0 if of == "change" else t)) for t in (0, 10, 20)]
    params = {"file": "log.csv", "columns": {"temp": "oven1.temp"}, "of": of, "every": "10 s", "tolerance": 1.01}
    bench.hand_in("log.csv", log(rows))
    assert bench.judge("file.series", **params, span={"to": "30 s"}, only=True, coverage="100 %").state is State.PASSED
    other = Bench(bench.folder.with_name("other"))
    ramp(other, 40)
    other.hand_in("log.csv", log([(t, v + 10) for t, v in rows]))
    assert other.judge("file.series", **params, span={"to": "30 s"}).state is State.FAILED


def test_only_the_hole_is_wanted(bench: Bench) -> None:
    """A row outside the stretch spoils the file."""
    ramp(bench)
    bench.hand_in("log.csv", log([(t + 0.5, 20 + t) for t in range(25)]))
    params = {key: value for key, value in SERIES.items() if key != "for"}
    assert bench.judge("file.series", **params, span={"from": "5 s", "to": "15 s"}).state is State.PASSED
    outcome = bench.judge("file.series", **params, span={"from": "5 s", "to": "15 s"}, only=True)
    assert "outside" in outcome.reason["en"]
