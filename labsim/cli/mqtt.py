"""``labsim mqtt``: subscribe, publish and measure at any MQTT broker."""

from __future__ import annotations

import datetime
import json
import queue
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.markup import escape

from labsim.cli import options as opt
from labsim.cli.connection import SESSION, TLS, Connection, connecting
from labsim.cli.output import err, out, print_json
from labsim.errors import InputError
from labsim.quantity import parse_duration

if TYPE_CHECKING:
    from rich.console import Console

    from labsim.probe.mqtt import Message
    from labsim.probe.payload import Content

app = typer.Typer(
    help="Talk to an MQTT broker: ours, or any other.",
    no_args_is_help=True,
    epilog="TARGET is HOST, HOST:PORT or mqtt://, mqtts://, ws://, wss:// with [USER:PASSWORD@]HOST:PORT.",
)
TARGET = typer.Argument(help="The broker, such as 127.0.0.1:1883.", metavar="TARGET")
_TURN_S = 0.2
QOS = typer.Option(0, "--qos", "-q", min=0, max=2, help="Quality of service.")


@app.command("sub")
@connecting(SESSION, TLS)
def sub(
    connection: Connection,
    target: str = TARGET,
    filters: list[str] = typer.Argument(help="Topic filters, such as 'factory/+/meter1/#'.", metavar="TOPIC…"),
    qos: int = QOS,
    count: int = typer.Option(0, "--count", "-n", min=0, help="End after so many messages."),
    lasting: str = typer.Option("", "--for", help="End after this time; otherwise with Ctrl-C."),
    stored: bool = typer.Option(True, "--retained/--no-retained", help="Show messages that were retained."),
    as_json: bool = opt.JSON,
) -> None:
    """Subscribe, and show messages as they come: JSON laid out, Sparkplug B decoded. With --json one line per message."""
    from labsim.probe.payload import Reader

    end = time.monotonic() + _seconds(lasting) if lasting else None
    reader, console, shown = Reader(), out(), 0
    with connection.mqtt(target) as probe:
        probe.subscribe(filters, qos)
        err().print(f"[dim]subscribed to {escape(', '.join(filters))} at {escape(str(probe.target))}[/]")
        while end is None or time.monotonic() < end:
            while probe.messages:
                message = probe.messages.popleft()
                if message.retain and not stored:
                    continue
                content = reader.read(message.topic, message.payload)
                if as_json:
                    print_json(_line(message, content))
                else:
                    _show(console, message, content)
                shown += 1
                if shown == count:
                    return
            probe.pump()


@app.command("pub")
@connecting(SESSION, TLS)
def pub(
    connection: Connection,
    target: str = TARGET,
    topic: str = typer.Argument(help="The topic.", metavar="TOPIC"),
    payload: str | None = typer.Argument(None, help="The payload as text; empty without it.", metavar="[PAYLOAD]"),
    file: Path | None = typer.Option(None, "--file", "-f", help="The payload is the content of this file."),
    lines: bool = typer.Option(False, "--lines", "-l", help="Each line of standard input is a message."),
    qos: int = QOS,
    retain: bool = typer.Option(False, "--retain", "-r", help="The broker keeps it for later subscribers."),
    as_json: bool = opt.JSON,
) -> None:
    """Publish a message, a file, or each line of standard input; ends when the broker has acknowledged all."""
    if (payload is not None) + (file is not None) + lines > 1:
        raise InputError("give one of PAYLOAD, --file and --lines.")
    messages: Iterator[bytes | None] = _lines() if lines else iter([_content(payload, file)])
    sent = size = 0
    with connection.mqtt(target) as probe:
        for data in messages:
            if data is None:  # nothing to send yet: the connection is kept alive
                probe.pump(0)
                continue
            probe.deliver(probe.publish(topic, data, qos, retain))
            sent, size = sent + 1, size + len(data)
        shown = str(probe.target)
    if as_json:
        print_json({"target": shown, "topic": topic, "qos": qos, "retain": retain, "messages": sent, "bytes": size})
    else:
        err().print(f"[dim]published {sent} message{'s' * (sent != 1)}, {size} bytes[/]")


@app.command("bench")
@connecting(SESSION, TLS)
def bench(
    connection: Connection,
    target: str = TARGET,
    topic: str = typer.Option("", "--topic", "-t", help="The topic to use; one of our own by default."),
    count: int = typer.Option(1000, "--count", "-n", min=1, max=10_000_000, help="How many messages."),
    rate: float = typer.Option(0, "--rate", min=0, help="Messages a second; 0 is as fast as they come back."),
    size: int = typer.Option(64, "--size", min=24, max=1_000_000, help="Bytes of a payload."),
    qos: int = QOS,
    window: int = typer.Option(
        20, "--window", min=1, max=10_000, help="How many may be under way; brokers may take no more than 20 of QoS 2."
    ),
    as_json: bool = opt.JSON,
) -> int:
    """Send messages to ourselves through the broker: rate and latency. Exit code 1 when any was lost."""
    from labsim.probe.bench import run

    with connection.mqtt(target, in_flight=window) as probe:
        console = err()

        def tell(received: int) -> None:
            console.print(f"[dim]{received} of {count}[/]")

        result = run(probe, topic=topic, count=count, rate=rate, size=size, qos=qos, window=window, tell=tell)
        shown = str(probe.target)
    if as_json:
        print_json({"target": shown, "qos": qos, "size": size, **result.to_json()})
    else:
        _summary(out(), result.to_json())
    return 0 if result.received >= result.sent else 1


def _summary(console: Console, facts: dict[str, Any]) -> None:
    console.print(
        f"{facts['received']} of {facts['sent']} messages in {facts['seconds']:.2f} s: [bold]{facts['rate']:,.0f}[/] a second"
    )
    if facts["latency_ms"]:
        console.print("latency " + "  ".join(f"{name} {value:.2f} ms" for name, value in facts["latency_ms"].items()))


def _line(message: Message, content: Content) -> dict[str, Any]:
    line = {
        "time": _now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "topic": message.topic,
        "qos": message.qos,
        "retain": message.retain,
        "coding": content.coding,
        "payload": content.data,
    }
    return line | ({"properties": message.properties} if message.properties else {})


def _show(console: Console, message: Message, content: Content) -> None:
    """One message for a person: a line about it, then what it says, on the same line when that is short."""
    from labsim.probe.payload import printable

    head = f"[dim]{_now():%H:%M:%S}[/] [bold]{escape(printable(message.topic))}[/]"
    notes = [f"QoS {message.qos}"] if message.qos else []
    notes += ["retained"] if message.retain else []
    notes += [content.coding] if content.coding in ("sparkplug", "hex") else []
    if notes:
        head += f" [dim]({', '.join(notes)})[/]"
    if isinstance(content.data, (dict, list)):
        console.print(head, soft_wrap=True)
        console.print_json(json.dumps(content.data, ensure_ascii=False), indent=2)
    else:
        console.print(f"{head} {escape(printable(str(content.data)))}", soft_wrap=True)


def _content(payload: str | None, file: Path | None) -> bytes:
    if file is None:
        return (payload or "").encode()
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from error


def _lines() -> Iterator[bytes | None]:
    """The lines of standard input, as they come, without their ends; None now and then while there is none."""
    waiting: queue.Queue[bytes | None] = queue.Queue(maxsize=1000)

    def read() -> None:
        for line in sys.stdin.buffer:
            waiting.put(line.rstrip(b"\r\n"))
        waiting.put(None)

    # a read of a pipe cannot be waited for with a timeout on every system, so a thread does it
    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = waiting.get(timeout=_TURN_S)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield line


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InputError(f"--for: {error}.") from None


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
