"""Breaking text into lines by terminal cells: Latin at spaces, Chinese anywhere but before a closing mark."""

from __future__ import annotations

import re

from rich.cells import cell_len

_CLOSING = "，。、；：！？）」』》〉】”’…,.;:!?)"
_OPENING = "（「『《〈【“‘("
_ATOM = re.compile(r"\s+|[^\s\u2e80-\uffef]+|[\u2e80-\uffef]")


def clean(text: str) -> str:
    """``text`` without characters that would steer the terminal; they may come from a payload."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` cells; at least one, and never an endless one."""
    width = max(width, 2)
    return [line for part in clean(text).split("\n") for line in _wrap_line(part, width)]


def _wrap_line(text: str, width: int) -> list[str]:
    lines, line = [], ""
    for atom in _atoms(text):
        if cell_len(line) + cell_len(atom.rstrip()) <= width:
            line += atom
            continue
        if line.strip():
            lines.append(line.rstrip())
        line = atom.lstrip()
        while cell_len(line) > width:
            head = _head(line, width)
            lines.append(head)
            line = line[len(head) :]
    return [*lines, line.rstrip()]


def _atoms(text: str) -> list[str]:
    """Pieces that stay whole; closing marks go with what is before them, opening marks with what follows."""
    atoms: list[str] = []
    for piece in _ATOM.findall(text):
        if atoms and (piece in _CLOSING or atoms[-1][-1] in _OPENING) and not atoms[-1].isspace():
            atoms[-1] += piece
        else:
            atoms.append(piece)
    return atoms


def _head(text: str, width: int) -> str:
    cells = 0
    for index, character in enumerate(text):
        cells += cell_len(character)
        if cells > width:
            return text[: max(index, 1)]
    return text
