"""What attacks have in common, whatever the protocol: writing again and again, playing back, guessing, flooding."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

from labsim.lab.rogue.station import DEFAULT_PASSWORDS, Acts, Hand, Station
from labsim.lab.rogue.table import INTO, VICTIM
from labsim.probe.error import ProbeError

Opens = Callable[[str, str], AbstractContextManager[Hand]]
"""Connects as a user with a password; both "" for nobody."""
_AT_ONCE = 10
_REFUSED = ("refused", "Bad", "exception", "denied")


def write(station: Station, hand: Hand, value: float | None = None) -> Acts:
    """Write the value again and again."""
    tag = station.tag(VICTIM)
    while True:
        hand.write(tag, station.number("value") if value is None else value)
        yield f"wrote {tag.path}"


def false_measurements(station: Station, hand: Hand) -> Acts:
    """Write values that look measured."""
    tag, spread = station.tag(VICTIM), station.number("spread")
    while True:
        hand.write(tag, station.number("value") + station.random.uniform(-spread, spread))
        yield f"wrote {tag.path}"


def replay(station: Station, hand: Hand) -> Acts:
    """Read for a while, then write what was read, over and over."""
    tag = station.tag(VICTIM)
    into = station.tag(INTO) if INTO in station.parameters else tag
    count = max(round(station.number("record") / max(station.number("every"), 0.1)), 1)
    recorded: list[float] = []
    while len(recorded) < count:
        recorded.append(hand.read(tag))
        yield f"recorded {tag.path}"
    while True:
        for value in recorded:
            hand.write(into, value)
            yield f"wrote {into.path}"


def default_password(station: Station, opens: Opens) -> Acts:
    """Try what makers deliver with, all in one turn, and write when let in."""
    user = station.tried()
    for password in DEFAULT_PASSWORDS:
        try:
            with opens(user, password) as hand:
                if VICTIM in station.parameters:
                    hand.write(station.tag(VICTIM), station.number("value"))
                yield f"logged in as {user}"
                return
        except ProbeError as error:
            if not _is_refusal(error):
                raise
    yield f"not let in as {user}"


def brute_force(station: Station, opens: Opens) -> Acts:
    """Try one password in each turn."""
    user, number = station.tried(), 0
    while True:
        known = number < len(DEFAULT_PASSWORDS)
        password = DEFAULT_PASSWORDS[number] if known else f"{station.random.randrange(10**8):08d}"
        number += 1
        try:
            with opens(user, password):
                yield f"logged in as {user}"
                return
        except ProbeError as error:
            if not _is_refusal(error):
                raise
            yield f"tried a password of {user}"


def session_flood(station: Station, opens: Callable[[], AbstractContextManager[object]]) -> Acts:
    """Open some more connections in each turn and hold all of them."""
    with ExitStack() as held:
        open_, most = 0, int(station.number("sessions"))
        while True:
            try:
                for _ in range(min(_AT_ONCE, most - open_)):
                    held.enter_context(opens())
                    open_ += 1
            except ProbeError:
                most = open_  # the server takes no more, which is what was wanted
            yield f"holds {open_} connections"


def _is_refusal(error: ProbeError) -> bool:
    return any(word in str(error) for word in _REFUSED)
