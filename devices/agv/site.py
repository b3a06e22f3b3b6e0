"""The paths that the vehicle was taught: nodes of a warehouse and the edges between them, driven both ways."""

from __future__ import annotations

MAP = "warehouse"
MAP_VERSION = "1.0"
NODES: dict[str, tuple[float, float]] = {
    "charge1": (0.0, 0.0), "park1": (5.0, 0.0), "aisle0": (15.0, 0.0),
    "dock1": (5.0, 10.0), "aisle1": (15.0, 10.0), "rack1": (35.0, 10.0),
    "dock2": (5.0, 20.0), "aisle2": (15.0, 20.0), "gate1": (25.0, 20.0), "rack2": (35.0, 20.0),
    "dock3": (5.0, 30.0), "aisle3": (15.0, 30.0), "rack3": (35.0, 30.0),
    "dock4": (5.0, 40.0), "aisle4": (15.0, 40.0), "cold1": (35.0, 40.0),
}  # fmt: skip
"""Metres from the origin of the map, by node id."""
EDGES: tuple[tuple[str, str], ...] = (
    ("charge1", "park1"), ("park1", "aisle0"), ("aisle0", "aisle1"), ("aisle1", "aisle2"), ("aisle2", "aisle3"),
    ("aisle3", "aisle4"), ("dock1", "aisle1"), ("dock2", "aisle2"), ("dock3", "aisle3"), ("dock4", "aisle4"),
    ("aisle1", "rack1"), ("aisle2", "gate1"), ("gate1", "rack2"), ("aisle3", "rack3"), ("aisle4", "cold1"),
)  # fmt: skip
CHARGERS = frozenset({"charge1"})
_WAYS = frozenset(EDGES) | {(end, start) for start, end in EDGES}


def is_way(start: str, end: str) -> bool:
    """Whether one may drive from one node to another; a node that was not taught is no obstacle."""
    return start not in NODES or end not in NODES or (start, end) in _WAYS
