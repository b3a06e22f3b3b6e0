"""What the broker counts about itself and publishes below ``$SYS/broker``, under the names that mosquitto uses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Totals since the broker was made, of both directions as the broker sees them."""

    bytes_in: int = 0
    bytes_out: int = 0
    packets_in: int = 0
    packets_out: int = 0
    publish_in: int = 0
    publish_out: int = 0
    dropped: int = 0
    most_clients: int = 0

    def topics(
        self, *, clients: int, sessions: int, subscriptions: int, retained: int, uptime_s: int
    ) -> dict[str, str]:
        """Every counter by topic, as text."""
        return {
            "$SYS/broker/version": "labsim",
            "$SYS/broker/uptime": f"{uptime_s} seconds",
            "$SYS/broker/clients/connected": str(clients),
            "$SYS/broker/clients/disconnected": str(sessions - clients),
            "$SYS/broker/clients/total": str(sessions),
            "$SYS/broker/clients/maximum": str(self.most_clients),
            "$SYS/broker/subscriptions/count": str(subscriptions),
            "$SYS/broker/retained messages/count": str(retained),
            "$SYS/broker/bytes/received": str(self.bytes_in),
            "$SYS/broker/bytes/sent": str(self.bytes_out),
            "$SYS/broker/messages/received": str(self.packets_in),
            "$SYS/broker/messages/sent": str(self.packets_out),
            "$SYS/broker/publish/messages/received": str(self.publish_in),
            "$SYS/broker/publish/messages/sent": str(self.publish_out),
            "$SYS/broker/publish/messages/dropped": str(self.dropped),
        }
