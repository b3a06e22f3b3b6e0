"""Who is connected: how many there may be, from where, and for how long without a word."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

from labsim.endpoints.modbus.application import Peer
from labsim.endpoints.modbus.connection import Connection
from labsim.endpoints.modbus.security import Roles
from labsim.plant.tags import TagStore
from labsim.scenario.modbus import ModbusSpec


class Sessions:
    """The connections of one endpoint, oldest first.

    Args:
        spec: The limits.
        store: Tells the plant time.
        roles: What a client's certificate says, with TLS.

    Attributes:
        limit: A limit that came up at run time, in place of the scenario's: most connections, and whether one more is left to
            hang instead of being refused.
    """

    def __init__(self, spec: ModbusSpec, store: TagStore, roles: Roles | None = None) -> None:
        self._spec, self._store, self._roles = spec, store, roles
        self._networks = [ip_network(text, strict=False) for text in spec.clients]
        self._open: dict[Connection, int] = {}  # with the plant time of the last byte
        self._hanging: set[Connection] = set()
        self.closed = False
        self.limit: tuple[int, bool] | None = None

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Connection, peer: Peer) -> tuple[Peer, str]:
        """Who a new client is, and why it is not let in ("" when it is; ``hang``: it is neither served nor told)."""
        if self.closed:  # accepted before the port was closed, made after
            return peer, "endpoint closed"
        if self._networks and not any(_host(peer.client) in network for network in self._networks):
            return peer, "address not allowed"
        if self._roles is not None:
            proven = self._roles.of(connection.transport.get_extra_info("ssl_object"))
            peer = replace(
                peer,
                user=proven.name,
                thumb=proven.thumb,
                role=proven.role,
                functions=self._roles.functions(proven.role),
            )
        if self.limit is not None:
            most, hang = self.limit
            if len(self._open) >= most:
                if hang:
                    self._hanging.add(connection)
                return peer, "hang" if hang else "session limit"
        elif self._spec.max_sessions is not None and len(self._open) >= self._spec.max_sessions:
            if self._spec.above_max == "hang":
                self._hanging.add(connection)
                return peer, "hang"
            if self._spec.above_max == "refuse":
                return peer, "session limit"
            next(iter(self._open)).hang_up("replaced by a newer session", now=True)
        self._open[connection] = self._store.now_ns
        return peer, ""

    def gone(self, connection: Connection) -> None:
        """A connection has ended."""
        self._open.pop(connection, None)
        self._hanging.discard(connection)

    def tick(self) -> None:
        """Close what has been idle for too long; called after every step of the plant."""
        if self._spec.idle is None:
            return
        now, longest = self._store.now_ns, int(self._spec.idle * 1e9)
        for connection, since in list(self._open.items()):
            if connection.active:
                connection.active = False
                self._open[connection] = now
            elif now - since >= longest:
                connection.hang_up("idle", now=True)

    def hang_up(self, reason: str) -> None:
        """End all of them; answers that nobody reads do not hold it up."""
        for connection in [*self._open, *self._hanging]:
            connection.hang_up(reason, now=True)


def _host(client: str) -> object:
    address = ip_address(client.rpartition(":")[0].strip("[]").partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address
