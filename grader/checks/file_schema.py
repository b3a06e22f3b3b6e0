"""The check of the shape of a hand-in file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from grader.check import Check, Params
from grader.checks.file import absent, unusable
from grader.outcome import Outcome, failed, partly, passed
from grader.schema import JsonSchema, compile_schema
from grader.table import FileName, TableError, read_data
from labsim.evidence.evidence import Evidence
from labsim.text import Text, tr


class FileSchemaParams(Params):
    """Parameters of `FileSchema`."""

    file: FileName = Field(description="The file below the hand-in folder: `.json`, `.yaml`, `.csv` or `.xlsx`.")
    schema_: JsonSchema = Field(
        alias="schema",
        description="A JSON Schema (draft 2020-12) that the file must fit, or each of its rows with `rows`.",
    )
    rows: bool = Field(
        False, description="The schema is of one row: an object by the headings of a table, or an item of a list."
    )
    at_least: Annotated[int, Field(ge=1)] = Field(1, description="Rows that must be there, with `rows`.")


class FileSchema(Check[FileSchemaParams]):
    """A hand-in file has the shape that a JSON Schema asks for.

    A table (CSV with a header, the first sheet of a workbook) is a list of objects; what is written as a number is a number.
    With `rows` each row is held against the schema, and the share of rows that fit is the share of the marks.

    Example::

        file.schema:
          file: calibration.yaml
          schema:
            type: object
            required: [instrument, date, person, points]
            properties:
              instrument: {type: string, minLength: 3}
              points: {type: array, minItems: 2}
          marks: 2
    """

    name = "file.schema"
    judges = "handed"
    sentence = tr("{p.file} has the shape that is asked for", "{p.file} 符合要求的結構", "{p.file} 符合要求的结构")
    Params = FileSchemaParams

    def judge(self, evidence: Evidence, params: FileSchemaParams) -> Outcome:
        """Hold the file, or each row, against the schema."""
        expected = Text.of("JSON Schema") if not params.rows else _asked(params)
        handed = evidence.file(params.file)
        if handed is None:
            return absent(evidence, params.file, str(expected.say()))
        try:
            data = read_data(handed.data, params.file)
        except TableError as error:
            return unusable(handed, error, expected.say())
        lack_of = compile_schema(params.schema_)
        if not params.rows:
            lack = lack_of(data)
            if not lack:
                reason = tr("{file} fits.", "{file} 符合。", "{file} 符合。").format(file=params.file)
                return passed(reason, expected="JSON Schema", evidence=[handed.seq])
            reason = tr("{file} does not fit: {lack}.", "{file} 不符合：{lack}。", "{file} 不符合：{lack}。")
            said = reason.format(file=params.file, lack=lack)
            return failed(said, expected="JSON Schema", actual=lack, evidence=[handed.seq])
        rows = data if isinstance(data, list) else []
        lacks = [(n, lack) for n, row in enumerate(rows, 1) if (lack := lack_of(row))]
        right, needed = len(rows) - len(lacks), max(len(rows), params.at_least)
        actual = f"{right}/{len(rows)}"
        if not lacks and right >= params.at_least:
            reason = tr("Rows that fit: {n}.", "{n} 行符合。", "{n} 行符合。").format(n=right)
            return passed(reason, expected=expected, actual=actual, evidence=[handed.seq])
        if not lacks:
            reason = tr(
                "Rows that fit: {n} of {least}.", "{n} 行符合，需要 {least} 行。", "{n} 行符合，需要 {least} 行。"
            )
            said = reason.format(n=right, least=params.at_least)
            return partly(right / needed, said, expected=expected, actual=actual, evidence=[handed.seq])
        reason = tr(
            "Rows that fit: {n} of {all}; row {row} does not: {lack}.",
            "{all} 行中有 {n} 行符合；第 {row} 行不符合：{lack}。",
            "{all} 行中有 {n} 行符合；第 {row} 行不符合：{lack}。",
        ).format(n=right, all=len(rows), row=lacks[0][0], lack=lacks[0][1])
        return partly(right / needed, reason, expected=expected, actual=actual, evidence=[handed.seq])


def _asked(params: FileSchemaParams) -> Text:
    return tr("≥ {n} rows, JSON Schema", "≥ {n} 行，JSON Schema", "≥ {n} 行，JSON Schema").format(n=params.at_least)
