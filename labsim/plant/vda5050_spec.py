"""How a driverless vehicle speaks VDA 5050, as its interface says: which tags make its state, what takes its orders."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from labsim.plant.signature import MethodName
from labsim.plant.spec import Name, Spec
from labsim.quantity import Duration

LISTS = frozenset({"nodeStates", "edgeStates", "actionStates", "loads", "errors", "information", "maps"})
"""Fields of the state that are lists: their tags hold them as JSON."""
FLOWING = frozenset({"agvPosition", "velocity", "distanceSinceLastNode", "batteryState"})
"""Fields whose change alone is no reason for a message (§6.10); ``batteryState/charging`` is one."""


class Vda5050Spec(Spec):
    """The topics of VDA 5050 version 2.1.0, below ``interface/v2/manufacturer/serial``.

    Attributes:
        interface: First level of the topics.
        state: Tag by field of the state; a path with slashes for a field of an object (``agvPosition/x``).
        order: The method that takes an order, as JSON text.
        instant_actions: The method that takes instant actions, as JSON text.
        connected: A bool tag: whether the vehicle's radio reaches the broker.
        factsheet_requests: A tag that counts how often the factsheet was asked for.
        visualization: How often position and velocity go out by themselves.
        factsheet: The factsheet without its header.
    """

    interface: str = "uagv"
    state: dict[str, Name]
    order: MethodName
    instant_actions: MethodName
    connected: Name
    factsheet_requests: Name
    visualization: Duration = 1.0
    factsheet: dict[str, Any] = Field(default_factory=dict)

    @property
    def telling(self) -> tuple[str, ...]:
        """The tags whose change sends the state."""
        return tuple(
            tag
            for field, tag in self.state.items()
            if field.split("/")[0] not in FLOWING or field == "batteryState/charging"
        )
