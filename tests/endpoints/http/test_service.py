"""The service without sockets: routes, accounts, bodies, evidence."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shop import INTERFACE, Shop

from labsim.endpoints.endpoint import User
from labsim.endpoints.http.message import Request, Response
from labsim.endpoints.http.service import Service
from labsim.errors import EvidenceError, InputError
from labsim.evidence.event import Event
from labsim.plant.clock import SimClock
from labsim.plant.interface import load_interface
from labsim.plant.plant import DeviceType, Plant

Build = Callable[..., Plant]
USERS = (User("ann", "secret", "Operator"), User("eve", "open", "Engineer"))


def login(name: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic."""
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


@cache
def shop_type() -> DeviceType:
    """Read once for all examples."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "interface.yaml"
        file.write_text(INTERFACE, encoding="utf-8")
        return DeviceType(load_interface(file), Shop)


def shop() -> Plant:
    """A plant of its own for each example."""
    plant = Plant(1, SimClock(utc_ns=0))
    plant.add("shop1", shop_type())
    plant.start()
    return plant


def order(**more: Any) -> bytes:
    """A body that fits."""
    return json.dumps({"product": "P1", "quantity": 3, **more}).encode()


def test_a_device_is_asked_with_what_the_path_names(build: Build, events: list[Event]) -> None:
    """What stands for a name in the path, the query and the body reach the device; its answer goes back as it is."""
    service = Service(build(), ["shop1"], events.append)
    placed = service.answer(Request("POST", "/shop1/v1/orders", body=order()))
    assert (placed.status, placed.data) == (201, {"id": "o1", "product": "P1", "quantity": 3})
    assert service.answer(Request("GET", "/shop1/v1/orders/o1")).data == placed.data
    assert service.answer(Request("GET", "/shop1/v1/orders", "state=done")).data == []


def test_a_literal_goes_before_a_name(build: Build, events: list[Event]) -> None:
    """/orders/newest is not the order called newest."""
    service = Service(build(), ["shop1"], events.append)
    service.answer(Request("POST", "/shop1/v1/orders", body=order(product="P9")))
    assert service.answer(Request("GET", "/shop1/v1/orders/newest")).data["product"] == "P9"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (Request("GET", "/shop1/v1/nothing"), 404),
        (Request("GET", "/shop2/v1/orders"), 404),
        (Request("GET", "/shop1/v1/orders/"), 404),
        (Request("PATCH", "/shop1/v1/orders"), 405),
        (Request("GET", "/shop1/v1/orders", "colour=red"), 400),
        (Request("POST", "/shop1/v1/orders", body=b"{"), 400),
        (Request("POST", "/shop1/v1/orders", body=b'{"product": "P1"}'), 422),
        (Request("POST", "/shop1/v1/orders", body=order(quantity=0)), 422),
        (Request("POST", "/shop1/v1/orders", headers={"content-type": "text/plain"}, body=order()), 415),
        (Request("GET", "/shop1/v1/orders", body=b"x"), 400),
        (Request("DELETE", "/shop1/v1/orders/o1"), 401),
        (Request("DELETE", "/shop1/v1/orders/o1", headers=login("ann", "secret")), 403),
        (Request("GET", "/shop1/v1/orders", headers=login("ann", "wrong")), 401),
        (Request("GET", "/shop1/v1/orders", headers={"authorization": "Basic %%%"}), 401),
    ],
)
def test_what_is_wrong_is_said(build: Build, events: list[Event], request_: Request, status: int) -> None:
    """Each mistake has the status code of RFC 9110 and a sentence, and the device never hears of it."""
    plant = build()
    service = Service(plant, ["shop1"], events.append, users=USERS)
    response = service.answer(request_)
    assert response.status == status
    assert response.data["error"]
    assert plant.devices["shop1"]["orders"] == 0
    assert events[-1].status == status


def test_405_and_401_carry_their_headers(build: Build, events: list[Event]) -> None:
    """A 405 says what the path takes (RFC 9110 §15.5.6), a 401 how to log in (§15.5.2)."""
    service = Service(build(), ["shop1"], events.append, users=USERS, anonymous=False)
    assert service.answer(Request("GET", "/shop1/v1/orders")).headers["WWW-Authenticate"].startswith("Basic")
    put = service.answer(Request("PUT", "/shop1/v1/orders", headers=login("eve", "open")))
    assert put.headers["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_roles_open_what_they_may(build: Build, events: list[Event]) -> None:
    """An engineer cancels, and the evidence names him."""
    service = Service(build(), ["shop1"], events.append, users=USERS)
    service.answer(Request("POST", "/shop1/v1/orders", body=order()))
    assert service.answer(Request("DELETE", "/shop1/v1/orders/o1", headers=login("eve", "open"))).status == 204
    assert events[-1].user == "eve"


def test_evidence_holds_what_was_asked_and_answered(build: Build, events: list[Event]) -> None:
    """Verb, path, body, the device's word and the code stand in one event, before the response leaves."""
    service = Service(build(), ["shop1"], events.append)
    service.answer(
        Request("POST", "/shop1/v1/orders", headers={"user-agent": "node-red"}, body=order(), client="1.2.3.4:5")
    )
    (event,) = events
    assert (event.kind, event.protocol, event.device, event.app) == ("request", "http", "shop1", "node-red")
    assert event.subject == "/shop1/v1/orders"
    assert event.detail["asked"]["body"] == {"product": "P1", "quantity": 3}
    assert event.detail["answer"]["id"] == "o1"
    assert event.detail["code"] == 201


def test_what_cannot_be_kept_is_not_answered(build: Build) -> None:
    """A sink that fails ends the request."""

    def broken(_event: Event) -> None:
        raise EvidenceError("disk full")

    with pytest.raises(EvidenceError):
        Service(build(), ["shop1"], broken).answer(Request("GET", "/shop1/v1/orders"))


def test_a_paused_plant_takes_no_orders(build: Build, events: list[Event]) -> None:
    """While the plant is frozen what would change it is refused with 503; what reads goes on."""
    plant = build()
    service = Service(plant, ["shop1"], events.append)
    plant.clock.pause()
    assert service.answer(Request("POST", "/shop1/v1/orders", body=order())).status == 503
    assert service.answer(Request("GET", "/shop1/v1/orders")).status == 200


def test_a_dead_device_does_not_answer(build: Build, events: list[Event]) -> None:
    """What stands before it says 504, as a gateway does."""
    plant = build()
    plant.devices["shop1"].condition.dead = "gateway"
    assert Service(plant, ["shop1"], events.append).answer(Request("GET", "/shop1/v1/orders")).status == 504


def test_devices_that_answer_the_same_route_are_refused(build: Build, events: list[Event]) -> None:
    """Two devices have bases of their own; one device twice at an endpoint has not."""
    Service(build("shop1", "shop2"), ["shop1", "shop2"], events.append)
    with pytest.raises(InputError, match="endpoints of their own"):
        Service(build("shop1"), ["shop1", "shop1"], events.append)


def test_the_description_is_openapi(build: Build, events: list[Event]) -> None:
    """/openapi.json lists every route with its parameters, its body and who may, without an account."""
    service = Service(build(), ["shop1"], events.append, users=USERS, anonymous=False)
    document = service.answer(Request("GET", "/openapi.json")).data
    assert document["openapi"].startswith("3.1")
    path = document["paths"]["/shop1/v1/orders/{order}"]
    assert path["get"]["parameters"][0] == {
        "name": "order",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
    }
    assert path["delete"]["security"] == [{"account": []}]
    assert document["paths"]["/shop1/v1/orders"]["post"]["requestBody"]["content"]["application/json"]["schema"][
        "required"
    ]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=300, deadline=None)
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "BREW", ""]),
    path=st.sampled_from(["/shop1/v1/orders", "/shop1/v1/orders/o1", "/openapi.json", "/"]) | st.text(),
    query=st.text(max_size=300),
    headers=st.dictionaries(st.sampled_from(["authorization", "content-type", "user-agent"]), st.text()),
    body=st.binary(max_size=400) | json_values.map(lambda value: json.dumps(value).encode()),
)
def test_any_request_is_answered(method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> None:
    """Whatever comes, there is a response in JSON, one event, and no exception."""
    kept: list[Event] = []
    response = Service(shop(), ["shop1"], kept.append, users=USERS).answer(Request(method, path, query, headers, body))
    assert isinstance(response, Response)
    assert response.body == b"" or json.loads(response.body) is not ...
    assert len(kept) == 1


def test_a_deep_body_is_refused(build: Build, events: list[Event]) -> None:
    """A thousand brackets cost nobody anything."""
    service = Service(build(), ["shop1"], events.append)
    assert service.answer(Request("POST", "/shop1/v1/orders", body=b"[" * 5000 + b"]" * 5000)).status == 400
    nested = b'{"product": "P", "quantity": 1, "x": ' + b"[" * 200 + b"]" * 200 + b"}"
    assert service.answer(Request("POST", "/shop1/v1/orders", body=nested)).status == 400
