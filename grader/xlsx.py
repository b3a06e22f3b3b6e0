"""Workbooks (``.xlsx``) as lines of cells, from the parts of ECMA-376 that a table of values needs.

Read here and not by a library, because a workbook from a trainee is input from a stranger, and of everything that one can hold
only the values of cells are wanted: no formulas, no links, no macros, no entities.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from xml.etree import ElementTree

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}
"""Built-in number formats that show a date or a time (ECMA-376 part 1, §18.8.30)."""
_QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_EPOCH = datetime(1899, 12, 30)
_PART_MOST = 64 * 2**20
_COLUMNS_MOST = 1000


class WorkbookError(ValueError):
    """This is no workbook."""


def sheet_cells(data: bytes, lines_most: int, sheet: str = "") -> list[list[object]]:
    """The cells of a sheet, line by line: numbers, texts, truth values, dates as ISO 8601 text, None for an empty one.

    Args:
        data: The file.
        lines_most: Lines that are read.
        sheet: Name of the sheet; the first by default.

    Raises:
        WorkbookError: it is damaged, too large, or has no such sheet.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            path = _sheet_path(book, sheet)
            texts = [_joined(item) for item in _children(book, "xl/sharedStrings.xml", "si")]
            dates = _date_styles(book)
            return list(_lines(_part(book, path), texts, dates, lines_most))
    except (
        zipfile.BadZipFile,
        ElementTree.ParseError,
        KeyError,
        ValueError,
        IndexError,
        OSError,
        RuntimeError,
    ) as error:
        raise WorkbookError(str(error)) from error


def _part(book: zipfile.ZipFile, path: str) -> ElementTree.Element:
    info = book.getinfo(path)
    if info.file_size > _PART_MOST:
        raise WorkbookError(f"{path} is too large")
    with book.open(info) as file:
        text = file.read(_PART_MOST + 1)
    if len(text) > _PART_MOST or b"<!DOCTYPE" in text[:1024] or b"<!ENTITY" in text:
        raise WorkbookError(f"{path} is no part of a workbook")
    return ElementTree.fromstring(text)  # noqa: S314 - without a document type there are no entities


def _named(element: ElementTree.Element, name: str) -> bool:
    return element.tag in (_MAIN + name, _STRICT + name)


def _children(book: zipfile.ZipFile, path: str, name: str) -> list[ElementTree.Element]:
    return [child for child in _part(book, path) if _named(child, name)] if path in book.namelist() else []


def _sheet_path(book: zipfile.ZipFile, wanted: str) -> str:
    relations = {
        relation.get("Id"): relation.get("Target", "") for relation in _part(book, "xl/_rels/workbook.xml.rels")
    }
    sheets = [item for part in _part(book, "xl/workbook.xml") if _named(part, "sheets") for item in part]
    for sheet in sheets:
        if not wanted or sheet.get("name") == wanted:
            target = next(relations[value] for name, value in sheet.attrib.items() if name.endswith("}id"))
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise WorkbookError(f"there is no sheet {wanted!r}" if wanted else "there is no sheet")


def _joined(item: ElementTree.Element) -> str:
    """A text with its runs, without the phonetic ones."""
    parts = []
    for child in item:
        if _named(child, "t"):
            parts.append(child.text or "")
        elif _named(child, "r"):
            parts += [run.text or "" for run in child if _named(run, "t")]
    return "".join(parts)


def _date_styles(book: zipfile.ZipFile) -> set[int]:
    """Numbers of the cell styles that show a date or a time."""
    if "xl/styles.xml" not in book.namelist():
        return set()
    dates, styles = set(_DATES), _part(book, "xl/styles.xml")
    for part in styles:
        if _named(part, "numFmts"):
            shown = {int(item.get("numFmtId", "0")): _QUOTED.sub("", item.get("formatCode", "")) for item in part}
            dates |= {number for number, form in shown.items() if re.search(r"[ymdhs]", form, re.IGNORECASE)}
    formats = [list(part) for part in styles if _named(part, "cellXfs")]
    return {n for n, form in enumerate(formats[0] if formats else ()) if int(form.get("numFmtId", "0")) in dates}


def _lines(sheet: ElementTree.Element, texts: list[str], dates: set[int], lines_most: int) -> Iterator[list[object]]:
    done = 0
    for data in sheet:
        if not _named(data, "sheetData"):
            continue
        for row in data:
            number = int(row.get("r", done + 1))
            if number > lines_most:
                return
            yield from ([] for _ in range(number - done - 1))
            done = number
            yield _line(row, texts, dates)


def _line(row: ElementTree.Element, texts: list[str], dates: set[int]) -> list[object]:
    cells: list[object] = []
    for cell in row:
        found = _REFERENCE.fullmatch(cell.get("r", ""))
        place = _column(found[1]) if found else len(cells)
        if place >= _COLUMNS_MOST:
            continue
        cells += [None] * (place + 1 - len(cells))
        cells[place] = _value(cell, texts, dates)
    return cells


def _column(letters: str) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - 64
    return place - 1


def _value(cell: ElementTree.Element, texts: list[str], dates: set[int]) -> object:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return next((_joined(child) for child in cell if _named(child, "is")), None)
    raw = next((child.text for child in cell if _named(child, "v")), None)
    if raw is None:
        return None
    if kind == "s":
        return texts[int(raw)]
    if kind == "b":
        return raw == "1"
    if kind in ("str", "e", "d"):
        return raw
    number = float(raw)
    if int(cell.get("s", "0")) not in dates:
        return number
    try:
        moment = _EPOCH + timedelta(days=number)
    except OverflowError:
        return number
    return (moment + timedelta(microseconds=500)).isoformat(timespec="milliseconds")  # a day's fraction is not exact
