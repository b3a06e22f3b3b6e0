"""Markdown at a terminal, with nothing left out."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import Markdown, MarkdownElement, TableElement
from rich.table import Table

_CHINESE = "[\u3001-\u303f\u4e00-\u9fff\uff00-\uffef]"
_BREAK = re.compile(f"(?<={_CHINESE})\n(?={_CHINESE})")


class _WholeTable(TableElement):
    """A table that breaks what is too long for a column; rich would cut it, and Chinese has no blanks to break at."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for part in super().__rich_console__(console, options):
            if isinstance(part, Table):
                for column in part.columns:
                    column.overflow = "fold"
            yield part


class WholeMarkdown(Markdown):
    """Markdown whose tables lose no text in a narrow terminal, and whose Chinese lines are joined without a blank."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {**Markdown.elements, "table_open": _WholeTable}

    def __init__(self, markup: str, **options: Any) -> None:
        super().__init__(_BREAK.sub("", markup), **options)
