"""``labsim opcua``: ask, browse, read, write, watch and call at any OPC UA server."""

from __future__ import annotations

import contextlib
import datetime
import time
from typing import TYPE_CHECKING, Any

import typer
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from labsim.cli import options as opt
from labsim.cli.connection import OPCUA, Connection, connecting
from labsim.cli.output import err, out, print_json
from labsim.errors import InputError, did_you_mean
from labsim.quantity import parse_duration

if TYPE_CHECKING:
    from labsim.probe.opcua import Found

app = typer.Typer(
    help="Talk to an OPC UA server: ours, or any other.",
    no_args_is_help=True,
    epilog="TARGET is HOST, HOST:PORT or opc.tcp://[USER:PASSWORD@]HOST:PORT. NODE is a node id such as ns=2;s=mill1.speed or "
    "nsu=URI;s=…, or a path of browse names below Objects such as Machines/mill1; a path with / in front begins at the root.",
)
TARGET = typer.Argument(help="The server, such as 127.0.0.1:4840.", metavar="TARGET")
NODE = typer.Argument(help="A node id or a path of browse names.", metavar="NODE")
NODES = typer.Argument(help="Node ids or paths of browse names.", metavar="NODE…")
FOR = typer.Option("", "--for", help="End after this time; otherwise with Ctrl-C.")
_WIDE = 400
_SIGNS = {"OBJECT": "▣", "VARIABLE": "●", "METHOD": "ƒ"}


@app.command("endpoints")
@connecting(OPCUA)
def endpoints(connection: Connection, target: str = TARGET, as_json: bool = opt.JSON) -> None:
    """Show what the server offers: security, how users prove themselves, its certificate."""
    from labsim.probe.access import stated, thumbprint

    probe = connection.opcua(target)
    rows = [
        {
            "url": one.EndpointUrl,
            "policy": one.SecurityPolicyUri.rpartition("#")[2],
            "mode": one.SecurityMode.name.rstrip("_"),
            "level": one.SecurityLevel,
            "users": [token.TokenType.name for token in one.UserIdentityTokens or []],
            "application": one.Server.ApplicationUri,
            "certificate": thumbprint(one.ServerCertificate),
            **stated(one.ServerCertificate or b""),
        }
        for one in probe.endpoints()
    ]
    if as_json:
        print_json({"target": str(probe.target), "endpoints": rows})
        return
    view = _table("policy", "mode", "users", "url")
    for row in rows:
        view.add_row(
            *(
                _text(", ".join(row[name]) if name == "users" else row[name])
                for name in ("policy", "mode", "users", "url")
            )
        )
    out().print(view)
    for row in {(row["application"], row["certificate"]): row for row in rows}.values():
        out().print(
            f"[dim]{_text(row['application'])}  certificate {_text(row['certificate']) or 'none'}[/]", soft_wrap=True
        )
        if "uris" in row:
            uris = ", ".join(row["uris"]) or "no URI"
            said = f"for {uris}, {row['valid_from']} to {row['valid_until']}, key of {row['key_bits']} bits"
            out().print(f"[dim]  {_text(said)}[/]", soft_wrap=True)


@app.command("browse")
@connecting(OPCUA)
def browse(
    connection: Connection,
    target: str = TARGET,
    node: str = typer.Argument("i=85", help="Where to begin; Objects by default.", metavar="[NODE]"),
    depth: int = typer.Option(3, "--depth", "-d", min=1, max=100, help="How many levels."),
    as_json: bool = opt.JSON,
) -> None:
    """Show a node and what is below it, as a tree."""
    with connection.opcua(target) as probe:
        found = probe.browse(node, depth)
    if as_json:
        print_json({"target": str(probe.target), **_nested(found)})
    else:
        tree = Tree(_branch(found))
        _grow(tree, found)
        console = out()
        console.width = max(console.width, _WIDE)  # a terminal wraps what is too long; a pipe gets all of it
        console.print(tree, soft_wrap=True)


@app.command("read")
@connecting(OPCUA)
def read(
    connection: Connection,
    target: str = TARGET,
    nodes: list[str] = NODES,
    attribute: str = typer.Option("Value", "--attribute", "-a", help="Value, DisplayName, Description, DataType, …"),
    as_json: bool = opt.JSON,
) -> int:
    """Read an attribute of nodes, in one request. Exit code 1 when a status is bad."""
    from asyncua import ua

    from labsim.probe.variant import facts_of, iso

    known = [one.name for one in ua.AttributeIds]
    if attribute not in known:
        raise InputError(f"--attribute: there is no {attribute!r}. {did_you_mean(attribute, known)}".strip())
    with connection.opcua(target) as probe:
        values = probe.read(nodes, attribute)
    rows = [
        {
            "node": node,
            **facts_of(one),
            "source_time": iso(one.SourceTimestamp),
            "server_time": iso(one.ServerTimestamp),
        }
        for node, one in zip(nodes, values, strict=True)
    ]
    if as_json:
        print_json({"target": str(probe.target), "attribute": attribute, "values": rows})
    else:
        view = _table("node", "value", "type", "status", "source time")
        for row in rows:
            view.add_row(
                _text(row["node"]), _shown(row["value"]), row["type"], _status(row["status"]), row["source_time"]
            )
        out().print(view)
    return 1 if any(row["status"].startswith("Bad") for row in rows) else 0


@app.command("write", context_settings={"ignore_unknown_options": True})  # so that -5 is a value
@connecting(OPCUA)
def write(
    connection: Connection,
    target: str = TARGET,
    node: str = NODE,
    value: str = typer.Argument(help="The new value; an array as JSON.", metavar="VALUE"),
    kind: str = typer.Option(
        "", "--type", "-T", help="Built-in type such as Double or UInt16[]; the node's by default."
    ),
    as_json: bool = opt.JSON,
) -> None:
    """Write the value of a variable."""
    from labsim.probe.variant import plain_value, type_of

    with connection.opcua(target) as probe:
        written = probe.write(node, value, kind)
    found = plain_value(written)
    if as_json:
        print_json({"target": str(probe.target), "node": node, "value": found, "type": type_of(written)})
    else:
        out().print(f"written to {_text(node)}: {_shown(found)} [dim]{type_of(written)}[/]", soft_wrap=True)


@app.command("call", context_settings={"ignore_unknown_options": True})
@connecting(OPCUA)
def call(
    connection: Connection,
    target: str = TARGET,
    method: str = typer.Argument(help="The method.", metavar="METHOD"),
    arguments: list[str] = typer.Argument(None, help="Its input arguments, in their order.", metavar="[ARGUMENT…]"),
    owner: str = typer.Option(
        "", "--object", "-o", help="The object it is called on; the one it is found below by default."
    ),
    as_json: bool = opt.JSON,
) -> None:
    """Call a method; its arguments become what it asks for."""
    from labsim.probe.variant import plain_value

    with connection.opcua(target) as probe:
        outputs = {name: plain_value(value) for name, value in probe.call(method, arguments or [], owner)}
    if as_json:
        print_json({"target": str(probe.target), "method": method, "outputs": outputs})
        return
    out().print(f"called {_text(method)}", soft_wrap=True)
    for name, value in outputs.items():
        out().print(f"  {_text(name)} = {_shown(value)}", soft_wrap=True)


@app.command("watch")
@connecting(OPCUA)
def watch(
    connection: Connection,
    target: str = TARGET,
    nodes: list[str] = NODES,
    every: str = typer.Option("500 ms", "--every", "-e", help="Sampling and publishing interval."),
    deadband: float = typer.Option(0.0, "--deadband", min=0, help="Tell a change only when it is larger than this."),
    count: int = typer.Option(0, "--count", "-n", min=0, help="End after so many changes."),
    lasting: str = FOR,
    as_json: bool = opt.JSON,
) -> None:
    """Subscribe to variables and show them live; with --json one line per change."""
    from rich.live import Live

    from labsim.probe.variant import facts_of, iso

    interval, until = _seconds("--every", every), _until(lasting)
    seen: dict[str, tuple[dict[str, Any], str]] = {}
    with (
        connection.opcua(target) as probe,
        contextlib.nullcontext() if as_json else Live(console=out(), auto_refresh=False) as live,
    ):
        for told, (node, value) in enumerate(probe.watch(nodes, interval * 1000, deadband, until), 1):
            facts, when = facts_of(value), iso(value.SourceTimestamp) or ""
            if live is None:
                print_json({"node": node, **facts, "source_time": when or None})
            else:
                seen[node] = facts, when
                live.update(_watched(nodes, seen), refresh=True)
            if told == count:
                return


@app.command("events")
@connecting(OPCUA)
def events(
    connection: Connection,
    target: str = TARGET,
    node: str = typer.Argument("i=2253", help="The notifier; the server itself by default.", metavar="[NODE]"),
    refresh: bool = typer.Option(False, "--refresh", "-r", help="First those of alarms that are on."),
    count: int = typer.Option(0, "--count", "-n", min=0, help="End after so many events."),
    lasting: str = FOR,
    as_json: bool = opt.JSON,
) -> None:
    """Subscribe to events and alarms and show them as they come; with --json one line per event."""
    until = _until(lasting)
    with connection.opcua(target) as probe:
        err().print(f"[dim]listening to the events of {_text(node)} at {_text(str(probe.target))}[/]")
        for told, event in enumerate(probe.events(node, until, refresh=refresh), 1):
            _tell(event, as_json)
            if told == count:
                return


@app.command("history")
@connecting(OPCUA)
def history(
    connection: Connection,
    target: str = TARGET,
    node: str = NODE,
    last: str = typer.Option("10 min", "--last", "-l", help="From so long ago until now."),
    start: str = typer.Option("", "--from", help="From this time instead, such as 2026-01-31T12:00:00Z."),
    end: str = typer.Option("", "--to", help="Until this time; now by default."),
    aggregate: str = typer.Option("", "--aggregate", "-a", help="Average, Minimum, Maximum, Count, Interpolative, …"),
    every: str = typer.Option("1 min", "--every", "-e", help="Interval of the aggregate."),
    of_events: bool = typer.Option(False, "--events", help="NODE is a notifier: read its events."),
    as_json: bool = opt.JSON,
) -> None:
    """Read what the server recorded: values, aggregates of them, or events."""
    from labsim.probe.opcua import AGGREGATES
    from labsim.probe.variant import facts_of, iso

    if aggregate and aggregate not in AGGREGATES:
        raise InputError(f"--aggregate: there is no {aggregate!r}. {did_you_mean(aggregate, AGGREGATES)}".strip())
    until = _moment("--to", end) if end else datetime.datetime.now(datetime.UTC)
    since = _moment("--from", start) if start else until - datetime.timedelta(seconds=_seconds("--last", last))
    width = _seconds("--every", every) * 1000
    with connection.opcua(target) as probe:
        if of_events:
            past = probe.event_history(node, since, until)
        else:
            values = probe.history(node, since, until, aggregate, width)
    if of_events:
        if as_json:
            print_json({"target": str(probe.target), "node": node, "events": past})
        else:
            for event in past:
                _tell(event, False)
        return
    rows = [{"time": iso(one.SourceTimestamp), **facts_of(one)} for one in values]
    if as_json:
        print_json({"target": str(probe.target), "node": node, "aggregate": aggregate or None, "values": rows})
        return
    view = _table("time", "value", "status")
    for row in rows:
        view.add_row(row["time"], _shown(row["value"]), _status(row["status"]))
    out().print(view)


def _nested(found: Found) -> dict[str, Any]:
    facts: dict[str, Any] = {"node": found.node, "name": found.name, "class": found.cls, "type": found.type_ or None}
    return facts | {"children": [_nested(one) for one in found.below]}


def _branch(found: Found) -> str:
    facts = f"{_text(found.node)}{f'  {_text(found.type_)}' if found.type_ else ''}"
    return f"{_SIGNS.get(found.cls.upper(), '◇')} [bold]{_text(found.name)}[/]  [dim]{facts}[/]"


def _grow(tree: Tree, found: Found) -> None:
    for one in found.below:
        _grow(tree.add(_branch(one)), one)


def _watched(nodes: list[str], seen: dict[str, tuple[dict[str, Any], str]]) -> Table:
    view = _table("node", "value", "status", "source time")
    for node in nodes:
        facts, when = seen.get(node, ({"value": None, "status": ""}, ""))
        view.add_row(_text(node), _shown(facts["value"]), _status(facts["status"]), f"[dim]{when}[/]")
    return view


def _tell(event: dict[str, Any], as_json: bool) -> None:
    """One event: when, how grave, of what, what it says, and for an alarm its states."""
    if as_json:
        print_json(event)
        return
    states = [name.removesuffix("State") for name in ("ActiveState", "AckedState", "ConfirmedState") if event.get(name)]
    notes = [str(event[name]) for name in ("ConditionName",) if event.get(name)] + states
    out().print(
        f"[dim]{event.get('Time', '')}[/] {event.get('Severity', ''):>4} "
        f"[bold]{_text(str(event.get('SourceName', '')))}[/] {_text(str(event.get('Message', '')))}"
        + (f" [dim]({_text(', '.join(notes))})[/]" if notes else ""),
        soft_wrap=True,
    )


def _table(*columns: str) -> Table:
    view = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        view.add_column(column, justify="right" if column == "value" else "left", overflow="fold")
    return view


def _status(name: str) -> str:
    return name if name == "Good" else f"[{'red' if name.startswith('Bad') else 'yellow'}]{_text(name)}[/]"


def _shown(value: Any) -> str:
    from labsim.probe.variant import shown_value

    return _text(shown_value(value))


def _text(text: str) -> str:
    """What a server said as a terminal can be given it."""
    from labsim.probe.payload import printable

    return escape(printable(text))


def _until(lasting: str) -> float | None:
    return time.monotonic() + _seconds("--for", lasting) if lasting else None


def _seconds(option: str, text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InputError(f"{option}: {error}.") from None


def _moment(option: str, text: str) -> datetime.datetime:
    from labsim.probe.variant import parse_time

    try:
        return parse_time(text)
    except ValueError:
        raise InputError(f"{option}: {text!r} is no time. Write it as 2026-01-31T12:00:00Z.") from None
