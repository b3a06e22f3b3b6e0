"""The order book: which orders there are, and what may become of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

STATES = {
    "released": 1,
    "accepted": 2,
    "running": 3,
    "held": 4,
    "completed": 5,
    "aborted": 6,
}
"""States by their numbers in ISA-95 job control (OPC 10031-4 §6.2.1): NotAllowedToStart, AllowedToStart, Running, Interrupted,
Ended, Aborted."""
_MOVES = {
    "accept": (("released",), "accepted"),
    "start": (("accepted", "held"), "running"),
    "hold": (("running",), "held"),
    "complete": (("running", "held"), "completed"),
    "reject": (("released", "accepted"), "aborted"),
    "abort": (("accepted", "running", "held"), "aborted"),
}


@dataclass(slots=True)
class Order:
    """One order.

    Attributes:
        id: Number in the book.
        reference: The customer's own number; the same one twice is the same order sent twice.
        released_s: Plant time of its release; ``changed_s`` of its last change of state.
        good, scrap: Parts reported so far.
        said: What was said with its last move: the reason of a hold, rejection or abort.
    """

    id: str
    reference: str
    product: str
    quantity: int
    recipe: str
    released_s: float
    state: str = "released"
    changed_s: float = 0.0
    good: int = 0
    scrap: int = 0
    said: str = ""
    user: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the REST service gives it; times are plant seconds."""
        return {
            "id": self.id,
            "reference": self.reference,
            "product": self.product,
            "quantity": self.quantity,
            "recipe": self.recipe,
            "state": self.state,
            "good": self.good,
            "scrap": self.scrap,
            "released_s": round(self.released_s, 1),
            "changed_s": round(self.changed_s, 1),
            **({"reason": self.said} if self.said else {}),
        }


@dataclass(slots=True)
class Book:
    """All orders, by number."""

    orders: dict[str, Order] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Order]:
        return iter(self.orders.values())

    def release(self, reference: str, product: str, quantity: int, recipe: str, now_s: float) -> Order:
        """Put a new order into the book."""
        order = Order(f"MO-{len(self.orders) + 1:05d}", reference, product, quantity, recipe, now_s, changed_s=now_s)
        self.orders[order.id] = order
        return order

    def count(self, *states: str) -> int:
        """How many orders are in one of the states."""
        return sum(order.state in states for order in self)

    def move(self, order: Order, move: str, now_s: float, *, user: str = "", said: str = "") -> str:
        """Let an order go into another state; what is against it, or "" when it went."""
        allowed, state = _MOVES[move]
        if order.state not in allowed:
            return f"{order.id} is {order.state}; only an order that is {' or '.join(allowed)} can do that."
        order.state, order.changed_s, order.user, order.said = state, now_s, user, said
        return ""
