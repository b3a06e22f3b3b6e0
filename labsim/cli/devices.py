"""``labsim devices`` and ``labsim manual``: device types and their datasheets."""

from __future__ import annotations

import typer
from rich.table import Table

from labsim.cli import options as opt
from labsim.cli.output import out, print_json


def list_devices(as_json: bool = opt.JSON, lang: str = opt.LANG) -> None:
    """List the device types."""
    import devices

    tongue = opt.language(lang)
    interfaces = [devices.interface(name) for name in devices.names()]
    rows = [{"type": i.type, "title": i.title.say(tongue), "protocols": list(i.protocols)} for i in interfaces]
    if as_json:
        print_json(rows)
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("type", "title", "protocols"):
        table.add_column(column)
    for row in rows:
        table.add_row(str(row["type"]), str(row["title"]), ", ".join(row["protocols"]))
    out().print(table)


def manual(
    kind: str = typer.Argument(help="A device type (see 'labsim devices').", metavar="TYPE"), lang: str = opt.LANG
) -> None:
    """Show a device type's datasheet: register map, nodes, topics, settings. Piped, it is Markdown."""
    import devices
    from labsim.lab.manual import manual as datasheet

    text, console = datasheet(devices.interface(kind), opt.language(lang)), out()
    if console.is_terminal:
        from rich.markdown import Markdown  # slow to import, and only needed for people

        console.print(Markdown(text))
    else:
        typer.echo(text)
