"""The topics of Sparkplug B (§4.1): ``spBv1.0/group/KIND/edge[/device]`` and ``spBv1.0/STATE/host``, and the host's state."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, Literal, get_args

NAMESPACE: Final = "spBv1.0"
STATE: Final = "STATE"
Kind = Literal["NBIRTH", "NDEATH", "NDATA", "NCMD", "DBIRTH", "DDEATH", "DDATA", "DCMD"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Topic:
    """The topic of a message from or to an edge node; ``device`` is "" where the message is of the node itself."""

    group: str
    kind: Kind
    edge: str
    device: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (NAMESPACE, self.group, self.kind, self.edge, self.device)))


def parse_topic(topic: str) -> Topic:
    """A topic in its parts.

    Raises:
        ValueError: not the topic of a node or a device; the message says why.
    """
    levels = topic.split("/")
    if levels[0] != NAMESPACE:
        raise ValueError(f"the namespace is {levels[0]!r}, not {NAMESPACE!r}")
    if len(levels) not in (4, 5) or not all(levels):
        raise ValueError(f"{topic!r} is not {NAMESPACE}/group/KIND/edge or {NAMESPACE}/group/KIND/edge/device")
    kind = next((known for known in KINDS if known == levels[2]), None)
    if kind is None:
        raise ValueError(f"there is no message type {levels[2]!r}")
    if (kind[0] == "D") != (len(levels) == 5):
        raise ValueError(f"{kind} is sent {'with' if kind[0] == 'D' else 'without'} a device id")
    return Topic(levels[1], kind, levels[3], levels[4] if len(levels) == 5 else "")


def check_id(text: str) -> str:
    """An id of a group, node, device or host, unchanged.

    Raises:
        ValueError: empty, or with a character that a topic reserves.
    """
    if not text or any(char in text for char in "+#/\0"):
        raise ValueError(f"{text!r} is no Sparkplug id: it is not empty and has no +, # or /")
    return text


def state_topic(host: str) -> str:
    """Where a host says whether it is there."""
    return f"{NAMESPACE}/{STATE}/{host}"


@dataclass(frozen=True, slots=True)
class HostState:
    """What a host says of itself; ``timestamp`` in milliseconds UTC."""

    online: bool
    timestamp: int

    def encode(self) -> bytes:
        """As it stands in a STATE message."""
        return json.dumps({"online": self.online, "timestamp": self.timestamp}).encode()


def decode_state(data: bytes) -> HostState:
    """A host's state from a STATE message.

    Raises:
        ValueError: not the JSON object of §6.4.27.
    """
    try:
        found = json.loads(data)
    except RecursionError:
        raise ValueError("JSON nested too deep") from None
    online, timestamp = (found.get("online"), found.get("timestamp")) if isinstance(found, dict) else (None, None)
    if not isinstance(online, bool) or isinstance(timestamp, bool) or not isinstance(timestamp, int) or timestamp < 0:
        raise ValueError("a STATE message is a JSON object of 'online' (true or false) and 'timestamp' (milliseconds)")
    return HostState(online, timestamp)
