"""Hand-in files as rows: CSV with a header, or JSON. Takes what spreadsheets and scripts of several countries write."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grader.payload import NOT_JSON, decode
from labsim.text import Text, tr

ROWS_MAX = 100_000


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
    """The rows of a ``.csv`` or ``.json`` file.

    JSON may be a list of objects with the columns as names, or an object from key to value (or to an object with the
    columns), at the top or below one name.

    Args:
        data: The file.
        name: Its path; ``.json`` decides.
        key: Name of the key column.
        value: Name of the value column.
        time: Name of the time column.

    Raises:
        TableError: neither of these.
    """
    text = _text(data)
    if name.lower().endswith(".json"):
        return _from_json(text, key, value, time)
    return _from_csv(text, key, value, time)


def _text(data: bytes) -> str:
    """UTF-8 with or without a mark, UTF-16 with one, else GB 18030, which spreadsheets write in China."""
    marked = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise TableError(tr("it is not text", "它不是文本", "它不是文本"))


def _from_csv(text: str, key: str, value: str, time: str | None) -> list[Row]:
    head = text.split("\n", 1)[0]
    mark = max(",;\t", key=head.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    except csv.Error as error:
        raise TableError(tr("it is not CSV", "它不是 CSV", "它不是 CSV")) from error
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    if not lines:
        raise TableError(tr("it is empty", "它是空的", "它是空的"))
    columns = [cell.strip().casefold() for cell in lines[0]]
    places: list[int | None] = []
    for wanted in (key, value, time):
        if wanted is not None and wanted.casefold() not in columns:
            raise TableError(tr("it has no column {name}", "它沒有 {name} 列", "它没有 {name} 列").format(name=wanted))
        places.append(None if wanted is None else columns.index(wanted.casefold()))

    def cell(line: list[str], place: int | None) -> str | None:
        return line[place].strip() if place is not None and place < len(line) else None

    rows = []
    for index, line in enumerate(lines[1 : ROWS_MAX + 1], 2):
        said = cell(line, places[1])
        if mark != "," and said is not None and said.count(",") == 1:
            said = said.replace(",", ".")
        rows.append(Row(index, cell(line, places[0]) or "", said, cell(line, places[2])))
    return rows


def _from_json(text: str, key: str, value: str, time: str | None) -> list[Row]:
    data: Any = decode(text)
    if data is NOT_JSON:
        raise TableError(tr("it is not JSON", "它不是 JSON", "它不是 JSON"))
    if isinstance(data, Mapping) and len(data) == 1 and isinstance(next(iter(data.values())), list):
        data = next(iter(data.values()))
    if isinstance(data, list):
        rows = []
        for index, item in enumerate(data[:ROWS_MAX], 1):
            if not isinstance(item, Mapping):
                raise TableError(tr("item {n} is no object", "第 {n} 項不是對象", "第 {n} 项不是对象").format(n=index))
            rows.append(Row(index, str(item.get(key, "")), item.get(value, ""), item.get(time) if time else None))
        return rows
    if isinstance(data, Mapping):
        rows = []
        for index, (name, item) in enumerate(list(data.items())[:ROWS_MAX], 1):
            if isinstance(item, Mapping):
                rows.append(Row(index, name, item.get(value, ""), item.get(time) if time else None))
            else:
                rows.append(Row(index, name, item))
        return rows
    raise TableError(tr("it is neither a list nor an object", "它既不是列表也不是對象", "它既不是列表也不是对象"))
