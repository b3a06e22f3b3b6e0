"""docs/clients.md is true: its commands parse, its output is what is printed."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
import typer

sys.path.insert(0, str(Path(__file__).parent))

from field_lab import Typed

from labsim.cli.main import app

PAGE = (Path(__file__).parents[2] / "docs" / "clients.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_page_parses(line: str) -> None:
    """Each example is a command line that labsim takes."""
    words = shlex.split(line, comments=True)
    words = words[words.index("labsim") + 1 :]
    words = words[: words.index(">")] if ">" in words else words
    command = typer.main.get_command(app)
    for name in words[:2]:
        command = command.commands[name]  # type: ignore[attr-defined] # a group
    context = command.make_context(words[1], words[2:])
    assert context.params["target"] or context.params["words"]


def test_the_output_of_the_page_is_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The table of word orders, letter by letter."""
    block = re.search(r"```\n\$ (labsim modbus decode.*?)\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    said = Typed(capsys)(*shlex.split(block[1])[1:])
    assert [line.rstrip() for line in said.out.splitlines()] == block[2].splitlines()
