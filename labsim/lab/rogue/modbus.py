"""Attacks over Modbus."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from labsim.endpoints.modbus.coding import Coding
from labsim.endpoints.modbus.register_map import describe
from labsim.errors import InputError
from labsim.lab.rogue import acts
from labsim.lab.rogue.station import Acts, Station, typed
from labsim.plant.tags import Tag
from labsim.probe.address import Address, Table
from labsim.probe.credentials import Credentials
from labsim.probe.modbus import ModbusProbe, RefusedError, SilentError

_TIMEOUT_S = 2.0


class ModbusHand:
    """A Modbus client that knows the registers of the plant's tags."""

    def __init__(self, station: Station, probe: ModbusProbe, *, multiple: bool = False) -> None:
        self._station, self._probe, self._multiple = station, probe, multiple

    def read(self, tag: Tag) -> float:
        """See `Hand`."""
        unit, address, coding = place_of(self._station, tag)
        words = self._probe.read(unit, address, coding.words)
        if coding.type == "bool":
            return float(words[0])
        return float(coding.decode(b"".join(word.to_bytes(2, "big") for word in words)))

    def write(self, tag: Tag, value: float) -> None:
        """See `Hand`; one register with FC06, one coil with FC05, several registers with FC16."""
        unit, address, coding = place_of(self._station, tag)
        if coding.type == "bool":
            words = [int(bool(value))]
        else:
            data = coding.encode(typed(tag, value))
            words = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
        table: Table = "coil" if coding.type == "bool" else "holding"  # what cannot be written is tried all the same
        self._probe.write(unit, Address(table, address.number), words, single=len(words) == 1 and not self._multiple)


def place_of(station: Station, tag: Tag) -> tuple[int, Address, Coding]:
    """Unit, address and coding of a tag; of one that can be written where there are several.

    Raises:
        InputError: the endpoint does not show it.
    """
    unit = next((one.unit for one in station.endpoint.addresses() if one.device == tag.device), None)
    device = station.plant.devices[tag.device]
    entries = [one for one in describe(device.interface, device.settings) if one.tag == tag.name]
    if unit is None or not entries:
        raise InputError(f"no register of this endpoint shows {tag.path}.")
    entry = next((one for one in entries if one.access == "rw"), entries[0])
    return unit, Address(entry.table, entry.address), entry.coding


@contextmanager
def _client(station: Station) -> Iterator[ModbusProbe]:
    target = station.target()
    credentials = Credentials(insecure=True) if target.scheme == "modbus-tls" else None
    with ModbusProbe(target, _TIMEOUT_S, credentials) as probe:
        yield probe


def acts_of(station: Station, attack: str) -> Acts:
    """What an attack does."""
    if attack == "session-flood":
        yield from acts.session_flood(station, lambda: _held(station))
        return
    with _client(station) as probe:
        hand = ModbusHand(station, probe, multiple=attack == "counter-reset")
        if attack == "scan":
            yield from _scan(station, probe)
        elif attack == "replay":
            yield from acts.replay(station, hand)
        elif attack == "false-measurements":
            yield from acts.false_measurements(station, hand)
        elif attack == "counter-reset":
            yield from acts.write(station, hand, 0.0)
        else:
            yield from acts.write(station, hand)


@contextmanager
def _held(station: Station) -> Iterator[ModbusProbe]:
    """A connection that has asked once, so that it is there."""
    with _client(station) as probe:
        with suppress(RefusedError):  # which is an answer
            probe.read(_first_unit(station), Address("holding", 0), 1)
        yield probe


def _scan(station: Station, probe: ModbusProbe) -> Acts:
    given = station.parameters.get("unit")
    unit = _first_unit(station) if given is None else int(float(given))
    first, last, burst = (int(station.number(name)) for name in ("first", "last", "burst"))
    here = first
    while True:
        for _ in range(burst):
            try:
                probe.read(unit, Address("holding", here), 1)
            except RefusedError:
                pass  # an exception tells the scanner as much as a value
            except SilentError:
                break  # nobody has the unit id
            here = first if here >= last else here + 1
        yield f"scanned unit {unit}"


def _first_unit(station: Station) -> int:
    return next(one.unit or 0 for one in station.endpoint.addresses())
