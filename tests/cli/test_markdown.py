"""Markdown at a terminal."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from labsim.cli.markdown import WholeMarkdown


def shown(markup: str, width: int) -> str:
    """What stands on a terminal of that width, without blanks and line ends."""
    console = Console(width=width, file=StringIO(), record=True)
    console.print(WholeMarkdown(markup))
    return "".join(console.export_text().split())


def test_a_narrow_table_keeps_all_its_text() -> None:
    """Chinese has no blanks to break a line at; a cell that is too long for its column is broken all the same."""
    cells = "voltage（L1-N，V）、current（L1，A）、frequency（Hz）、power（总有功，W）", "跨多个寄存器的数值的字节顺序"
    text = shown(f"| 点 | 含义 |\n| --- | --- |\n| {cells[0]} | {cells[1]} |\n", 40)
    assert "…" not in text
    assert sorted(c for c in text if c.isalnum()) == sorted(c for c in "点含义" + "".join(cells) if c.isalnum())


def test_chinese_lines_of_a_paragraph_are_joined_without_a_blank() -> None:
    """A line end between two Chinese characters is no blank."""
    console = Console(width=80, file=StringIO(), record=True)
    console.print(WholeMarkdown("一家机械厂的公用工程间，\n要建第一块能耗看板。"))
    assert "工程间，要建" in console.export_text()
