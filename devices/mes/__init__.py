"""A manufacturing execution system: releases orders, hears what becomes of them; over REST and as ISA-95 job orders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from devices.mes.book import STATES, Book, Order
from labsim.plant import status
from labsim.plant.device import Device, Process
from labsim.plant.rest_spec import Asked
from labsim.plant.tags import Value

_LOT = 10
_LISTED = 20
_NOT_FOUND, _CONFLICT = 404, 409
_STORE, _START = {"store": False, "store_and_start": True}, {"start": "start", "resume": "start", "pause": "hold"}
_END = {"stop": "complete", "abort": "abort", "cancel": "reject"}


class Mes(Device):
    """Orders come at random for the products it knows; a recipe belongs to each product."""

    def start(self) -> None:
        """The first orders stand in the book when the shift begins."""
        self.book = Book()
        self._references = 0
        self.configured("products")
        for _ in range(int(self.settings["first_orders"])):
            self._draw()
        self._tell()

    def run(self) -> Process:
        """One order after the other, exponentially distributed."""
        while True:
            yield self.wait(max(1.0, float(self.random.exponential(float(self.settings["order_every"])))))
            if self.settings["releases"]:
                self._draw()
                self._tell()

    def configured(self, name: str) -> None:
        """Other products from the next order on."""
        if name == "products":
            named = [product.strip() for product in str(self.settings["products"]).split(",")]
            self.products = [product for product in dict.fromkeys(named) if product] or ["PRODUCT"]

    def faulted(self, name: str) -> None:
        """A fault of the book shows at once, in one order more."""
        if name not in self.faults:
            return
        if name == "duplicate-order" and self.book.orders:
            last = list(self.book)[-1]
            self._release(last.reference, last.product, last.quantity)
        elif name == "zero-quantity":
            self._references += 1
            self._release(self._reference(), self.products[0], 0)
        elif name == "unknown-product":
            self._references += 1
            self._release(self._reference(), f"X-{self._references:03d}", _LOT)
        self._tell()

    def _draw(self) -> Order:
        product = self.products[int(self.random.integers(len(self.products)))]
        low, high = int(self.settings["least"]), int(self.settings["most"])
        lots = self.random.integers(low // _LOT, max(high, low) // _LOT + 1)
        self._references += 1
        return self._release(self._reference(), product, max(int(lots) * _LOT, 1))

    def _reference(self) -> str:
        digest = hashlib.sha256(f"{self.serial}/{self._references}".encode()).hexdigest()
        return f"SO-{int(digest[:8], 16) % 10**6:06d}"

    def _release(self, reference: str, product: str, quantity: int) -> Order:
        recipe = self._recipe(product)["id"] if product in self.products else ""
        order = self.book.release(reference, product, quantity, recipe, self.now_s)
        if self.now_s > 0:
            self.emit("OrderReleased", Order=order.id, Product=product, Quantity=quantity)
        return order

    def _recipe(self, product: str) -> dict[str, Any]:
        """The released recipe of a product: its numbers are made of the product's name, so that they stay."""
        digest = hashlib.sha256(f"{self.serial}/{product}".encode()).digest()
        volume = 200 + 50 * (digest[0] % 11)
        parameters = {
            "volume_ml": volume,
            "speed_per_min": 30 + 5 * (digest[1] % 7),
            "torque_nm": 1.5 + 0.1 * (digest[2] % 11),
        }
        version = 1 + digest[3] % 5
        text = json.dumps(parameters, sort_keys=True)
        return {
            "id": f"R-{product}-{version}",
            "product": product,
            "version": version,
            "state": "withdrawn" if "withdrawn-recipe" in self.faults else "released",
            "parameters": parameters,
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        }

    def _tell(self) -> None:
        """The counts, and the book as job orders: what OPC UA and MQTT show."""
        book = self.book
        self["orders_released"] = book.count("released")
        self["orders_accepted"] = book.count("accepted")
        self["orders_running"] = book.count("running", "held")
        self["orders_completed"] = book.count("completed")
        self["orders_aborted"] = book.count("aborted")
        self["good_reported"] = sum(order.good for order in book)
        self["scrap_reported"] = sum(order.scrap for order in book)
        orders = list(book)
        self["last_order"] = orders[-1].id if orders else ""
        self["last_quantity"] = orders[-1].quantity if orders else 0
        listed = [order for order in orders if order.state not in ("completed", "aborted")][-_LISTED:]
        self["job_order_list"] = json.dumps([_job_and_state(order) for order in listed], separators=(",", ":"))

    # ---- REST ----

    def ask(self, name: str, asked: Asked) -> tuple[int, Any]:
        """Answer one of the routes."""
        if name == "products":
            return 200, [{"id": product, "recipe": self._recipe(product)["id"]} for product in self.products]
        if name == "recipe":
            product = asked.path["product"]
            if product not in self.products:
                return _NOT_FOUND, {"error": f"there is no product {product!r}."}
            return 200, self._recipe(product)
        if name == "list_orders":
            wanted = asked.query.get("state")
            if wanted is not None and wanted not in STATES:
                return 400, {"error": f"state is one of {', '.join(STATES)}."}
            return 200, [order.to_json() for order in self.book if wanted in (None, order.state)]
        if name == "place":
            return self._placed(asked)
        order = self.book.orders.get(asked.path["order"])
        if order is None:
            return _NOT_FOUND, {"error": f"there is no order {asked.path['order']!r}."}
        if name == "one_order":
            return 200, order.to_json()
        return self._moved(order, name, asked)

    def _placed(self, asked: Asked) -> tuple[int, Any]:
        body = asked.body
        if body["product"] not in self.products:
            return _CONFLICT, {
                "error": f"there is no product {body['product']!r}; there are {', '.join(self.products)}."
            }
        self._references += 1
        order = self._release(str(body.get("reference") or self._reference()), body["product"], body["quantity"])
        self._tell()
        return 201, order.to_json()

    def _moved(self, order: Order, name: str, asked: Asked) -> tuple[int, Any]:
        body = asked.body or {}
        good, scrap = int(body.get("good", order.good)), int(body.get("scrap", order.scrap))
        if good < order.good or scrap < order.scrap:
            return _CONFLICT, {
                "error": f"{order.id} has {order.good} good and {order.scrap} scrap already; counts only grow."
            }
        if name == "report":
            against = "" if order.state in ("running", "held") else f"{order.id} is {order.state}, not running."
        else:
            against = self.book.move(order, name, self.now_s, user=asked.user, said=str(body.get("reason", "")))
        if against:
            return _CONFLICT, {"error": against}
        order.good, order.scrap = good, scrap
        if name == "complete":
            self.emit("OrderCompleted", Order=order.id, Good=good, Scrap=scrap)
        self._tell()
        return 200, order.to_json()

    # ---- ISA-95 job orders ----

    def call(self, name: str, arguments: Sequence[Any]) -> tuple[int, Sequence[Value]]:
        """Store a job order, or let one go on; ReturnStatus is 0 when it was done (OPC 10031-4 §6.2.1)."""
        if name in _STORE:
            return status.GOOD, (self._stored(arguments[0], start=_STORE[name]),)
        order = self.book.orders.get(str(arguments[0]))
        if order is None:
            return status.GOOD, (_UNKNOWN_ORDER,)
        against = self.book.move(order, {**_START, **_END}[name], self.now_s, said=_comment(arguments))
        self._tell()
        return status.GOOD, (_WRONG_STATE if against else 0,)

    def _stored(self, job: Mapping[str, Any], *, start: bool) -> int:
        product = next((str(one.get("ID", "")) for one in job.get("WorkMasterID") or ()), "")
        quantity = next(
            (_whole(one.get("Quantity")) for one in job.get("MaterialRequirements") or () if one.get("Quantity")), 0
        )
        if product not in self.products or not 0 < quantity <= 10**6:
            return _BAD_ORDER
        if any(order.reference == job["JobOrderID"] for order in self.book):
            return _KNOWN_ORDER
        order = self._release(str(job["JobOrderID"]), product, quantity)
        self.book.move(order, "accept", self.now_s)
        if start:
            self.book.move(order, "start", self.now_s)
        self._tell()
        return 0


_UNKNOWN_ORDER, _WRONG_STATE, _KNOWN_ORDER, _BAD_ORDER = 1, 2, 4, 8
"""Our ReturnStatus bits; the specification leaves them to the machine."""


def _whole(text: object) -> int:
    try:
        return int(str(text))
    except ValueError:
        return 0


def _comment(arguments: Sequence[Any]) -> str:
    said = arguments[1] if len(arguments) > 1 else None
    if isinstance(said, (list, tuple)):
        said = said[0] if said else ""
    return str(said.get("text", "") if isinstance(said, Mapping) else said or "")


def _job_and_state(order: Order) -> dict[str, Any]:
    """An order in the fields of ISA95JobOrderAndStateDataType."""
    names = {1: "NotAllowedToStart", 2: "AllowedToStart", 3: "Running", 4: "Interrupted", 5: "Ended", 6: "Aborted"}
    number = STATES[order.state]
    return {
        "JobOrder": {
            "JobOrderID": order.id,
            "WorkMasterID": [{"ID": order.product}],
            "MaterialRequirements": [{"MaterialDefinitionID": order.product, "Quantity": str(order.quantity)}],
        },
        "State": [{"BrowsePath": {}, "StateText": names[number], "StateNumber": number}],
    }


BEHAVIOUR = Mes
