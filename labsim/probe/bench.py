"""How fast a broker carries messages: one client that sends to itself."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from labsim.probe.mqtt import MqttProbe

_HEAD = struct.Struct(">8sQQ")
_PATIENCE_S = 5.0
_TELL_S = 2.0


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to. ``seconds``: from the first send to the last receipt; latencies from the call of publish."""

    sent: int
    received: int
    seconds: float
    latencies_ms: list[float]

    def to_json(self) -> dict[str, Any]:
        """As the command prints it."""
        return {
            "sent": self.sent,
            "received": self.received,
            "seconds": round(self.seconds, 6),
            "rate": round(self.received / self.seconds, 1) if self.seconds else 0.0,
            "latency_ms": percentiles(self.latencies_ms),
        }


def percentiles(latencies_ms: list[float]) -> dict[str, float]:
    """Middle, high and highest latency; empty without any."""
    if not latencies_ms:
        return {}
    cuts = quantiles(latencies_ms, n=100, method="inclusive") if len(latencies_ms) > 1 else latencies_ms * 99
    found = {"p50": cuts[49], "p90": cuts[89], "p99": cuts[98], "max": max(latencies_ms)}
    return {name: round(value, 3) for name, value in found.items()}


def run(
    probe: MqttProbe,
    *,
    topic: str,
    count: int,
    rate: float,
    size: int,
    qos: int,
    window: int,
    tell: Callable[[int], None] = lambda _: None,
) -> Result:
    """Send and receive.

    Args:
        probe: A connected client.
        topic: Where; a topic of our own when empty. What others publish there is not counted.
        count: How many messages.
        rate: Messages a second; 0 keeps ``window`` under way.
        size: Bytes of a payload, at least 24.
        qos: Of messages and subscription.
        window: See ``rate``.
        tell: Is told every two seconds how many came back.

    Raises:
        ProbeError: the broker refused, or the connection was lost.
    """
    own, filler = os.urandom(8), b"." * (size - _HEAD.size)
    topic = topic or f"labsim/bench/{own.hex()}"
    probe.subscribe([topic], qos)
    latencies: list[float] = []
    seen: set[int] = set()
    sent, start = 0, time.monotonic_ns()
    last = told = start
    while len(seen) < count:
        now = time.monotonic_ns()
        due = min(count, int((now - start) * rate / 1e9) + 1) if rate else min(count, len(seen) + window)
        while sent < due:
            probe.publish(topic, _HEAD.pack(own, sent, time.monotonic_ns()) + filler, qos)
            sent += 1
        probe.pump(min(1 / rate, 0.05) if rate else 0.05)
        while probe.messages:
            message = probe.messages.popleft()
            if len(message.payload) != size or message.payload[:8] != own:
                continue
            _, number, began = _HEAD.unpack_from(message.payload)
            if number not in seen:
                seen.add(number)
                latencies.append((message.at_ns - began) / 1e6)
                last = message.at_ns
        if now - told > _TELL_S * 1e9:
            told = now
            tell(len(seen))
        if sent == count and now - last > _PATIENCE_S * 1e9:
            break
    return Result(sent, len(seen), (last - start) / 1e9, latencies)
