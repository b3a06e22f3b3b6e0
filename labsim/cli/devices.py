"""``labsim devices`` and ``labsim manual``: device types and their datasheets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from labsim.cli import options as opt
from labsim.cli.output import out, print_json
from labsim.cli.words import table
from labsim.errors import InputError

if TYPE_CHECKING:
    from labsim.plant.interface import Interface


def list_devices(as_json: bool = opt.JSON, lang: str = opt.LANG) -> None:
    """List the device types."""
    import devices

    tongue = opt.language(lang)
    interfaces = [devices.interface(name) for name in devices.names()]
    rows = [{"type": i.type, "title": i.title.say(tongue), "protocols": list(i.protocols)} for i in interfaces]
    if as_json:
        print_json(rows)
        return
    shown = table(tongue, "type", "title", "protocols")
    for row in rows:
        shown.add_row(str(row["type"]), str(row["title"]), ", ".join(row["protocols"]))
    out().print(shown)


def manual(
    kind: str = typer.Argument(help="A device type (see 'labsim devices').", metavar="TYPE"),
    lang: str = opt.LANG,
    file: Path | None = typer.Option(
        None, "-o", "--output", help="Write it to this file, as HTML (.html) or Markdown (.md)."
    ),
) -> None:
    """Show a device type's datasheet: register map, nodes, topics, settings. Piped, it is Markdown."""
    import devices
    from labsim.lab.manual import manual as datasheet

    interface, tongue = devices.interface(kind), opt.language(lang)
    if file is not None:
        _write(file, interface, tongue)
        return
    text, console = datasheet(interface, tongue), out()
    if console.is_terminal:
        from labsim.cli.markdown import WholeMarkdown  # slow to import, and only needed for people

        console.print(WholeMarkdown(text))
    else:
        typer.echo(text)


def _write(file: Path, interface: Interface, lang: str) -> None:
    from labsim.lab.manual import manual as datasheet
    from labsim.lab.manual.page import manual_page

    made = {".html": manual_page, ".htm": manual_page, ".md": datasheet}.get(file.suffix.lower())
    if made is None:
        raise InputError(f"{file} ends neither in .html nor in .md, so its form is unknown.")
    try:
        file.write_text(made(interface, lang), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be written ({error.strerror}).") from None
