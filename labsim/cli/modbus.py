"""``labsim modbus``: read, write, scan, decode and watch the registers of any Modbus server."""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer
from rich.markup import escape
from rich.table import Table

from labsim.cli import options as opt
from labsim.cli.connection import TLS, Connection, connecting
from labsim.cli.output import err, out, print_json
from labsim.errors import InputError
from labsim.quantity import parse_duration

if TYPE_CHECKING:
    from labsim.probe.address import Address
    from labsim.probe.modbus import ModbusProbe
    from labsim.probe.registers import Value

app = typer.Typer(
    help="Ask a Modbus server: ours, or any other.",
    no_args_is_help=True,
    epilog="TARGET is HOST, HOST:PORT or modbus-tcp://, modbus-tls:// or modbus-rtu-tcp:// with HOST:PORT, "
    "or a serial port: modbus-rtu:///dev/ttyUSB0 or modbus-rtu://COM3, with ?baudrate=9600&parity=N&stopbits=2.",
)
TARGET = typer.Argument(help="The server, such as 127.0.0.1:5020.", metavar="TARGET")
ADDRESS = typer.Argument(help="The address on the wire, from 0; with --number the manual's number.", metavar="ADDRESS")
UNIT = typer.Option(1, "--unit", "-u", min=0, max=255, help="The unit id.")
TABLE = typer.Option(None, "--table", "-t", help="holding (the default), input, coil or discrete.")
NUMBER = typer.Option(
    False, "--number", "-N", help="ADDRESS is a manual's number: counted from 1, 40001 the first holding register."
)
COUNT = typer.Option(1, "--count", "-n", min=1, max=65536, help="How many values (of a text: registers).")
TYPE = typer.Option("u16", "--type", "-T", help="u16, i16, u32, i32, f32, u64, i64, f64 or text.")
ORDER = typer.Option("ABCD", "--order", "-o", help="Word order: ABCD, CDAB, BADC or DCBA.")
_WIDE = 110
"""Columns that four numbers of 64 bits take side by side."""
TIMEOUT = typer.Option(2.0, "--timeout", min=0.01, help="Seconds to wait for an answer.")


@app.command("read")
@connecting(TLS)
def read(
    connection: Connection,
    target: str = TARGET,
    address: str = ADDRESS,
    table: str | None = TABLE,
    count: int = COUNT,
    kind: str = TYPE,
    order: str = ORDER,
    unit: int = UNIT,
    number: bool = NUMBER,
    timeout: float = TIMEOUT,
    as_json: bool = opt.JSON,
) -> None:
    """Read registers or bits, and show what they say."""
    from labsim.probe.address import parse_address
    from labsim.probe.payload import plain

    start = parse_address(address, table, numbered=number)
    with connection.modbus(target, timeout) as probe:
        rows = _values(probe, unit, start, count, kind, order)
        shown = str(probe.target)
    if as_json:
        values = [{"address": at.number, **_words(at, words), "value": plain(value)} for at, words, value in rows]
        print_json({"target": shown, "unit": unit, "table": start.table, "values": values})
        return
    view = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("address", "number", "hex", "value"):
        view.add_column(column, justify="left" if column == "hex" else "right")
    for at, words, value in rows:
        view.add_row(str(at.number), str(at.number + 1), _hex(at, words), _text(value))
    out().print(view)


@app.command("write", context_settings={"ignore_unknown_options": True})  # so that -5 is a value
@connecting(TLS)
def write(
    connection: Connection,
    target: str = TARGET,
    address: str = ADDRESS,
    values: list[str] = typer.Argument(help="One value or several; for coils on, off, 1 or 0.", metavar="VALUE…"),
    table: str | None = TABLE,
    kind: str = TYPE,
    order: str = ORDER,
    unit: int = UNIT,
    number: bool = NUMBER,
    single: bool = typer.Option(False, "--single", help="Function 6 or 5, which write one, instead of 16 or 15."),
    timeout: float = TIMEOUT,
    as_json: bool = opt.JSON,
) -> None:
    """Write holding registers or coils, in one request."""
    from labsim.probe.address import parse_address
    from labsim.probe.registers import bit, encode

    start = parse_address(address, table, numbered=number)
    raw = (
        [bit(value) for value in values]
        if start.table == "coil"
        else [word for value in values for word in encode(value, kind, order)]
    )
    with connection.modbus(target, timeout) as probe:
        probe.write(unit, start, raw, single=single)
        shown = str(probe.target)
    if as_json:
        print_json(
            {
                "target": shown,
                "unit": unit,
                "table": start.table,
                "address": start.number,
                **_words(start, raw),
                "values": values,
            }
        )
    else:
        out().print(f"written to {start}: {_hex(start, raw)}", markup=False)


@app.command("scan")
@connecting(TLS)
def scan(
    connection: Connection,
    target: str = TARGET,
    units: str = typer.Option("1-247,255", "--units", "-U", help="The unit ids to ask, such as 1-16,255."),
    timeout: float = typer.Option(0.3, "--timeout", min=0.01, help="Seconds to wait for each unit."),
    as_json: bool = opt.JSON,
) -> int:
    """Find the unit ids that answer, and who they say they are. Exit code 1 when none does."""
    from rich.progress import Progress

    from labsim.probe.modbus import unit_ids

    wanted, found = unit_ids(units), []
    with (
        connection.modbus(target, timeout) as probe,
        Progress(console=err(), transient=True, disable=not err().is_terminal) as progress,
    ):
        for unit in progress.track(wanted, description=f"asking {len(wanted)} units"):
            answer = probe.identify(unit)
            if answer is not None:
                found.append(answer)
        shown = str(probe.target)
    if as_json:
        print_json(
            {
                "target": shown,
                "units": [{"unit": a.unit, "exception": a.code or None, "identification": a.nameplate} for a in found],
            }
        )
    else:
        for answer in found:
            said = f"answers, exception {answer.code:02d}" if answer.code else "answers"
            who = ", ".join(f"{name} {text}" for name, text in answer.nameplate.items())
            out().print(f"unit {answer.unit:<4} {said:<23} [dim]{_text(who)}[/]".rstrip(), soft_wrap=True)
        err().print(f"[dim]{len(found)} of {len(wanted)} units answered[/]")
    return 0 if found else 1


@app.command("decode")
@connecting(TLS)
def decode(
    connection: Connection,
    target: str = typer.Argument("", help="The server; not needed with --words.", metavar="[TARGET]"),
    address: str = typer.Argument("0", help="The first register, as in 'read'.", metavar="[ADDRESS]"),
    words: str = typer.Option("", "--words", "-w", help="Registers in hex instead, such as '4366 8000'."),
    table: str | None = TABLE,
    count: int = typer.Option(4, "--count", "-n", min=1, max=64, help="How many registers."),
    unit: int = UNIT,
    number: bool = NUMBER,
    timeout: float = TIMEOUT,
    as_json: bool = opt.JSON,
) -> None:
    """Show the same registers as every type in all four word orders, side by side."""
    from labsim.probe.address import parse_address
    from labsim.probe.payload import plain
    from labsim.probe.registers import ORDERS, is_seemly, readings, typed_words

    if bool(words) == bool(target):
        raise InputError("give a TARGET and an ADDRESS, or --words.")
    if words:
        raw = typed_words(words)
    else:
        start = parse_address(address, table, numbered=number)
        if start.table in ("coil", "discrete"):
            raise InputError(f"{start} is a bit: it has no word order. Use 'labsim modbus read'.")
        with connection.modbus(target, timeout) as probe:
            raw = probe.read(unit, start, count)
    found = readings(raw)
    if as_json:
        views = {kind: {order: plain(value) for order, value in row.items()} for kind, row in found.items()}
        print_json({"words": [f"{word:04x}" for word in raw], "readings": views})
        return
    console = out()
    console.width = max(console.width, _WIDE)
    console.print(f"[dim]{' '.join(f'{word:04x}' for word in raw)}[/]")
    view = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    view.add_column("type")
    for order in ORDERS:
        view.add_column(order, justify="right", no_wrap=True)
    for kind, row in found.items():
        cells = [_cell(row[order], is_seemly(row[order])) if order in row else "" for order in ORDERS]
        view.add_row(kind, *cells)
    console.print(view)


@app.command("watch")
@connecting(TLS)
def watch(
    connection: Connection,
    target: str = TARGET,
    address: str = ADDRESS,
    table: str | None = TABLE,
    count: int = COUNT,
    kind: str = TYPE,
    order: str = ORDER,
    unit: int = UNIT,
    number: bool = NUMBER,
    every: str = typer.Option("1 s", "--every", "-e", help="The polling period, such as '500 ms'."),
    lasting: str = typer.Option("", "--for", help="End after this time; otherwise with Ctrl-C."),
    timeout: float = TIMEOUT,
    as_json: bool = opt.JSON,
) -> None:
    """Poll registers and show them as they change; with --json one line per change. An error is shown, and polling goes on."""
    from rich.live import Live

    from labsim.probe.address import parse_address
    from labsim.probe.error import ProbeError
    from labsim.probe.payload import plain

    start, period = parse_address(address, table, numbered=number), _seconds("--every", every)
    end = time.monotonic() + _seconds("--for", lasting) if lasting else None
    seen: dict[Address, tuple[Value, str]] = {}
    trouble = ""
    with (
        connection.modbus(target, timeout) as probe,
        Live(console=out(), auto_refresh=False, transient=False) if not as_json else _Quiet() as live,
    ):
        rows = _values(probe, unit, start, count, kind, order)  # what is wrong from the start ends it
        due = time.monotonic()
        while True:
            now = datetime.datetime.now(datetime.UTC)
            for at, words, value in rows:
                if at in seen and _same(seen[at][0], value):
                    continue
                seen[at] = value, f"{now:%H:%M:%S}.{now.microsecond // 1000:03d}"
                if as_json:
                    print_json({"time": _iso(now), "address": at.number, **_words(at, words), "value": plain(value)})
            live.update(_watched(seen, trouble), refresh=True)
            due = max(due + period, time.monotonic())
            if end is not None and due >= end:
                return
            time.sleep(max(due - time.monotonic(), 0))
            try:
                rows, trouble = _values(probe, unit, start, count, kind, order), ""
            except ProbeError as error:
                rows = []
                if as_json and str(error) != trouble:
                    print_json({"time": _iso(datetime.datetime.now(datetime.UTC)), "error": str(error)})
                trouble = str(error)


class _Quiet:
    """Stands where a live table would, when lines are printed instead."""

    def __enter__(self) -> _Quiet:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, _table: Table, *, refresh: bool) -> None:
        """Show nothing."""


def _watched(seen: dict[Address, tuple[Value, str]], trouble: str) -> Table:
    view = Table(
        box=None, padding=(0, 2, 0, 0), header_style="dim", caption=escape(trouble) or None, caption_style="red"
    )
    for column in ("address", "value", "changed"):
        view.add_column(column, justify="right")
    for at, (value, when) in seen.items():
        view.add_row(str(at.number), _text(value), f"[dim]{when}[/]")
    return view


def _values(
    probe: ModbusProbe, unit: int, start: Address, count: int, kind: str, order: str
) -> list[tuple[Address, list[int], Value]]:
    """Each value with its address and its registers."""
    from labsim.probe.registers import decode, words_of

    size = words_of(kind)
    if start.table in ("coil", "discrete"):
        return [(start.after(n), [bit], bit) for n, bit in enumerate(probe.read(unit, start, count))]
    decode([0] * size, kind, order)  # an unknown order is told before anything is asked
    words = probe.read(unit, start, count * size)
    step = len(words) if kind == "text" else size
    parts = [(start.after(n), words[n : n + step]) for n in range(0, len(words), step)]
    return [(at, part, decode(part, kind, order)) for at, part in parts]


def _seconds(option: str, text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InputError(f"{option}: {error}.") from None


def _hex(at: Address, words: Sequence[int]) -> str:
    return " ".join(str(word) if at.table in ("coil", "discrete") else f"{word:04x}" for word in words)


def _words(at: Address, words: Sequence[int]) -> dict[str, Any]:
    """Registers as JSON shows them; bits have none."""
    return {} if at.table in ("coil", "discrete") else {"words": [f"{word:04x}" for word in words]}


def _text(value: Value) -> str:
    """A value as a terminal can be given it."""
    from labsim.probe.payload import printable
    from labsim.probe.registers import shown

    return escape(printable(shown(value)))


def _cell(value: Value, seemly: bool) -> str:
    text = _text(value if isinstance(value, str) or seemly else f"{value:.6g}")
    return text if seemly else f"[dim]{text}[/]"


def _same(one: Value, other: Value) -> bool:
    return one == other or (one != one and other != other)


def _iso(moment: datetime.datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
