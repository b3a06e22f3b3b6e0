"""The endpoint over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import httpx
import pytest

from labsim.endpoints.endpoint import User
from labsim.endpoints.http.endpoint import HttpEndpoint
from labsim.endpoints.http.service import BODY_MOST
from labsim.errors import EndpointError, EvidenceError
from labsim.evidence.event import Event
from labsim.plant.plant import Plant

Build = Callable[..., Plant]


async def test_a_client_places_and_reads_an_order(build: Build, events: list[Event]) -> None:
    """Over one connection: POST, GET, HEAD; the events name the client's address and one session."""
    async with HttpEndpoint(build(), ["shop1"], events.append) as endpoint:
        (address,) = endpoint.addresses()
        assert address.url == f"http://127.0.0.1:{endpoint.port}/shop1/v1"
        async with httpx.AsyncClient() as client:
            placed = await client.post(f"{address.url}/orders", json={"product": "卡", "quantity": 2})
            assert placed.status_code == 201
            shown = await client.get(f"{address.url}/orders/o1")
            assert shown.json()["product"] == "卡"
            head = await client.head(f"{address.url}/orders/o1")
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["content-length"] == str(len(shown.content))
    assert {event.session for event in events} == {"http1"}
    assert all(event.client.startswith("127.0.0.1:") for event in events)


async def test_accounts_are_told_and_asked_for(build: Build, events: list[Event]) -> None:
    """The address carries the accounts; without one there is a challenge, with one an answer."""
    users = (User("ann", "påss", "Operator"),)
    async with HttpEndpoint(build(), ["shop1"], events.append, users=users, anonymous=False) as endpoint:
        url = f"{endpoint.addresses()[0].url}/orders"
        async with httpx.AsyncClient() as client:
            refused = await client.get(url)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Basic")
            assert (await client.get(url, auth=httpx.BasicAuth(b"ann", "påss".encode()))).status_code == 200


async def test_an_oversized_body_is_cut_off(build: Build, events: list[Event]) -> None:
    """A body over the limit is 413 and never reaches the device."""
    plant = build()
    async with HttpEndpoint(plant, ["shop1"], events.append) as endpoint, httpx.AsyncClient() as client:
        url = f"{endpoint.addresses()[0].url}/orders"
        try:
            answer = await client.post(
                url, content=b"x" * (BODY_MOST * 3), headers={"content-type": "application/json"}
            )
        except (httpx.WriteError, httpx.ReadError):
            pass  # the server hung up while the client was still sending, which is as good
        else:
            assert answer.status_code == 413
        assert (await client.get(url)).status_code == 200
    assert plant.devices["shop1"]["orders"] == 0


async def test_garbage_does_no_harm(build: Build, events: list[Event]) -> None:
    """Bytes that are no HTTP are answered with 400 and the connection is closed; others go on."""
    async with HttpEndpoint(build(), ["shop1"], events.append) as endpoint:
        reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.port)
        writer.write(b"\x16\x03\x01\x02\x00 this is TLS\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400")
        writer.close()
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{endpoint.addresses()[0].url}/orders")).status_code == 200


async def test_without_evidence_there_is_no_answer(build: Build) -> None:
    """When the event cannot be kept the connection is cut instead of answered."""

    def broken(_event: Event) -> None:
        raise EvidenceError("disk full")

    async with HttpEndpoint(build(), ["shop1"], broken) as endpoint, httpx.AsyncClient() as client:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await client.get(f"{endpoint.addresses()[0].url}/orders")


async def test_a_taken_port_is_told(build: Build, events: list[Event]) -> None:
    """The sentence names the address and what to do."""
    async with HttpEndpoint(build(), ["shop1"], events.append) as first:
        with pytest.raises(EndpointError, match="--port-base"):
            async with HttpEndpoint(build(), ["shop1"], events.append, port=first.port):
                pass


async def test_it_closes_while_clients_are_connected(build: Build, events: list[Event]) -> None:
    """Idle and half-sent connections do not keep a lab from ending."""
    async with HttpEndpoint(build(), ["shop1"], events.append) as endpoint:
        reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.port)
        writer.write(b"POST /shop1/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        async with httpx.AsyncClient() as client:
            await client.get(f"{endpoint.addresses()[0].url}/orders")
        port = endpoint.port
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), 10) == b""  # cut, and the half request was never answered
    writer.close()
    assert [event.detail["method"] for event in events] == ["GET"]
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)
