"""Who is connected to a lab, as far as its journal says."""

from __future__ import annotations

from labsim.evidence.event import Event


class Clients:
    """The sessions that are open, each with its protocol, its address and what it calls itself."""

    def __init__(self) -> None:
        self._open: dict[str, dict[str, str]] = {}

    def __contains__(self, session: object) -> bool:
        return session in self._open

    def __len__(self) -> int:
        return len(self._open)

    def see(self, event: Event) -> None:
        """Take in an event that was kept."""
        if event.kind == "open":
            self._open[event.session] = {"protocol": event.protocol, "client": event.client, "app": ""}
        elif event.kind == "close":
            # an OPC UA client that hangs up in a session closes under the session's name, and opened under the connection's
            where = event.protocol, event.client
            gone = [
                key
                for key, one in self._open.items()
                if key == event.session or (one["protocol"], one["client"]) == where
            ]
            for key in gone:
                del self._open[key]
        elif event.app and event.session in self._open:
            self._open[event.session]["app"] = event.app

    def to_json(self) -> list[dict[str, str]]:
        """As ``GET /lab`` of the control API has them."""
        return list(self._open.values())
