"""Hand-in files as rows and as data: CSV with a header, XLSX, JSON, YAML.

Takes what spreadsheets and scripts of several countries write.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, Field

from grader.payload import NOT_JSON, decode
from grader.truth import to_number
from grader.xlsx import WorkbookError, sheet_cells
from labsim.text import Text, tr

ROWS_MAX = 100_000
_YAML_MOST = 2_000_000
"""Bytes: the reader of YAML is slow."""
_EXACT = 2**53


def _stays_inside(name: str) -> str:
    if any(part in ("", ".", "..") for part in name.split("/")):
        raise ValueError(f"{name!r} is no file below the hand-in folder")
    return name


FileName = Annotated[str, Field(pattern=r"^[^/\\][^\\]*\.(csv|xlsx|json|yaml|yml)$"), AfterValidator(_stays_inside)]
"""A pydantic field of a file below the hand-in folder, of a kind that can be read here."""


class TableError(ValueError):
    """The file cannot be read as rows; ``reason`` says why, to be set into a sentence."""

    def __init__(self, reason: Text) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it stands (counting from 1), its key, its value and its time, as they were written."""

    number: int
    key: str
    value: object
    time: object = None


def read_rows(data: bytes, name: str, key: str, value: str, time: str | None = None) -> list[Row]:
    """The rows of a file that says which value each row is.

    JSON and YAML may be a list of objects with the columns as names, or an object from key to value (or to an object with
    the columns), at the top or below one name.

    Args:
        data: The file.
        name: Its path; the ending decides.
        key: Name of the key column.
        value: Name of the value column.
        time: Name of the time column.

    Raises:
        TableError: none of these.
    """
    if not _is_data(name):
        wanted = [key, value] if time is None else [key, value, time]
        return [
            Row(number, str(cells[0] or "") if not isinstance(cells[0], float) else f"{cells[0]:g}", *cells[1:])
            for number, cells in read_columns(data, name, wanted)
        ]
    found = _rows_of(read_data(data, name))
    if isinstance(found, list):
        return [
            Row(n, str(item.get(key, "")), item.get(value, ""), item.get(time) if time else None)
            for n, item in enumerate(found, 1)
        ]
    rows = []
    for index, (said, item) in enumerate(list(found.items())[:ROWS_MAX], 1):
        if isinstance(item, Mapping):
            rows.append(Row(index, str(said), item.get(value, ""), item.get(time) if time else None))
        else:
            rows.append(Row(index, str(said), item))
    return rows


def read_columns(data: bytes, name: str, columns: Sequence[str]) -> list[tuple[int, list[object]]]:
    """Some columns of a file, row by row with its number, as they were written.

    Raises:
        TableError: it is no table, or lacks a column.
    """
    if _is_data(name):
        found = _rows_of(read_data(data, name))
        if isinstance(found, Mapping):
            raise TableError(tr("it is no list of rows", "它不是行的列表", "它不是行的列表"))
        return [(n, [item.get(column) for column in columns]) for n, item in enumerate(found, 1)]
    lines = _cells(data, name)
    if not lines:
        raise TableError(tr("it is empty", "它是空的", "它是空的"))
    heads = [str(cell or "").strip().casefold() for cell in lines[0][1]]
    places = []
    for wanted in columns:
        if wanted.casefold() not in heads:
            raise TableError(tr("it has no column {name}", "它沒有 {name} 列", "它没有 {name} 列").format(name=wanted))
        places.append(heads.index(wanted.casefold()))
    return [(n, [cells[p] if p < len(cells) else None for p in places]) for n, cells in lines[1 : ROWS_MAX + 1]]


def read_data(data: bytes, name: str) -> Any:
    """A file as JSON data; rows of a CSV file or a workbook as objects by their headings, numbers as numbers.

    Raises:
        TableError: it cannot be read.
    """
    ending = name.lower().rpartition(".")[2]
    if ending == "json":
        found = decode(_text(data))
        if found is NOT_JSON:
            raise TableError(tr("it is not JSON", "它不是 JSON", "它不是 JSON"))
        return found
    if ending in ("yaml", "yml"):
        return _from_yaml(data)
    lines = _cells(data, name)
    heads = [str(cell or "").strip() for cell in lines[0][1]] if lines else []
    return [
        {head: _typed(cells[place]) for place, head in enumerate(heads) if head and place < len(cells)}
        for _, cells in lines[1 : ROWS_MAX + 1]
    ]


def _is_data(name: str) -> bool:
    return name.lower().endswith((".json", ".yaml", ".yml"))


def _typed(cell: object) -> object:
    """A written number as a number, as JSON would have it; everything else as it is."""
    number = to_number(cell) if isinstance(cell, str) else None
    if number is None or not math.isfinite(number):
        return cell
    return int(number) if number.is_integer() and "." not in str(cell) and abs(number) < _EXACT else number


def _from_yaml(data: bytes) -> Any:
    if len(data) > _YAML_MOST:
        raise TableError(tr("it is too large", "它過大", "它过大"))
    text = _text(data)
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise TableError(tr("it has aliases", "它含有別名", "它含有别名"))
        return _plain(yaml.safe_load(text))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, TableError):
            raise
        raise TableError(tr("it is not YAML", "它不是 YAML", "它不是 YAML")) from error


def _plain(found: Any) -> Any:
    """YAML's dates as text, and names that are numbers as text, as JSON has them."""
    if isinstance(found, Mapping):
        return {str(key): _plain(value) for key, value in found.items()}
    if isinstance(found, list):
        return [_plain(item) for item in found]
    return found.isoformat() if isinstance(found, date) else found


def _rows_of(data: Any) -> list[Mapping[str, Any]] | Mapping[str, Any]:
    if isinstance(data, Mapping) and len(data) == 1 and isinstance(next(iter(data.values())), (list, Mapping)):
        inner = next(iter(data.values()))
        data = inner if isinstance(inner, list) or any(isinstance(v, Mapping) for v in inner.values()) else data
    if isinstance(data, list):
        for index, item in enumerate(data[:ROWS_MAX], 1):
            if not isinstance(item, Mapping):
                raise TableError(tr("item {n} is no object", "第 {n} 項不是對象", "第 {n} 项不是对象").format(n=index))
        return data[:ROWS_MAX]
    if isinstance(data, Mapping):
        return data
    raise TableError(tr("it is neither a list nor an object", "它既不是列表也不是對象", "它既不是列表也不是对象"))


def _text(data: bytes) -> str:
    """UTF-8 with or without a mark, UTF-16 with one, else GB 18030, which spreadsheets write in China."""
    marked = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise TableError(tr("it is not text", "它不是文本", "它不是文本"))


def _cells(data: bytes, name: str) -> list[tuple[int, Sequence[object]]]:
    """The lines that hold anything, each with its number."""
    if name.lower().endswith(".xlsx"):
        try:
            lines = sheet_cells(data, ROWS_MAX + 1)
        except WorkbookError as error:
            raise TableError(tr("it is no workbook", "它不是工作簿", "它不是工作簿")) from error
        return [(n, line) for n, line in enumerate(lines, 1) if any(cell not in (None, "") for cell in line)]
    text = _text(data)
    head = text.split("\n", 1)[0]
    mark = max(",;\t", key=head.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    except csv.Error as error:
        raise TableError(tr("it is not CSV", "它不是 CSV", "它不是 CSV")) from error
    return [
        (n, [_decimal(cell.strip(), mark) for cell in line])
        for n, line in enumerate((row for row in rows if any(cell.strip() for cell in row)), 1)
    ]


def _decimal(cell: str, mark: str) -> str:
    """A number with a decimal comma, where the comma is not what separates cells."""
    if mark != "," and cell.count(",") == 1 and to_number(cell.replace(",", ".")) is not None:
        return cell.replace(",", ".")
    return cell
