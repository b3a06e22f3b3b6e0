"""A shop that takes orders: a device type with REST routes."""

from __future__ import annotations

from typing import Any

from labsim.plant.device import Device
from labsim.plant.rest_spec import Asked

INTERFACE = """
type: shop
title: {en: Shop}
about: {en: Takes orders.}
identification: {manufacturer: X, model: Y, revision: "1", serial: "1"}
tags:
  orders: {type: u32, title: {en: Orders}}
rest:
  base: /{device}/v1
  routes:
    list_orders: {method: GET, path: /orders, title: {en: Orders}, query: {state: {en: only those in this state}}}
    one_order: {method: GET, path: "/orders/{order}", title: {en: One order}}
    newest: {method: GET, path: /orders/newest, title: {en: The newest order}}
    place:
      method: POST
      path: /orders
      title: {en: Place an order}
      body:
        type: object
        required: [product, quantity]
        properties: {product: {type: string}, quantity: {type: integer, minimum: 1}}
    cancel: {method: DELETE, path: "/orders/{order}", title: {en: Cancel}, roles: [Engineer]}
"""


class Shop(Device):
    """Keeps what was ordered."""

    def start(self) -> None:
        """No orders yet."""
        self.kept: list[dict[str, Any]] = []

    def ask(self, name: str, asked: Asked) -> tuple[int, Any]:
        """Place, list, show, cancel."""
        if name == "place":
            self.kept.append({"id": f"o{len(self.kept) + 1}", **asked.body})
            self["orders"] = len(self.kept)
            return 201, self.kept[-1]
        if name == "list_orders":
            return 200, self.kept if "state" not in asked.query else []
        if name == "newest":
            return (200, self.kept[-1]) if self.kept else (404, {"error": "none"})
        found = [order for order in self.kept if order["id"] == asked.path["order"]]
        if not found:
            return 404, {"error": "no such order"}
        if name == "cancel":
            self.kept.remove(found[0])
            return 204, None
        return 200, found[0]
