"""Claims of Modbus/TCP Security: both sides proven, the role from the client's certificate, what a role may do."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from pymodbus.client import AsyncModbusTlsClient

from labsim.endpoints.modbus.endpoint import ModbusEndpoint
from labsim.endpoints.modbus.security import Files, make_certificates, role_of
from labsim.errors import EndpointError
from labsim.scenario.modbus import ModbusSpec

OPTIONS = ModbusSpec.model_validate(
    {
        "units": {11: "an1"},
        "transport": "tls",
        "tls": {
            "roles": {"panel": "Viewer"},
            "permissions": {"Operator": "all", "Viewer": "read", "Auditor": [43], "Guest": []},
        },
    }
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the certificates are made, once."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
async def port(bench: Any, folder: Path) -> AsyncIterator[int]:
    """A TLS endpoint's port."""
    async with ModbusEndpoint(bench.plant, {11: "an1"}, bench.sink, options=OPTIONS, certificates=folder) as endpoint:
        url = endpoint.addresses()[0].url
        assert url.startswith("modbus-tls://")
        yield int(url.rpartition(":")[2])


def context(folder: Path, client: str | None) -> ssl.SSLContext:
    """What a client brings."""
    found = ssl.create_default_context(cafile=folder / "authority.pem")
    if client:
        found.load_cert_chain(folder / f"{client}.pem", folder / f"{client}.key")
    return found


async def ask(port: int, tls: ssl.SSLContext, *pdus: str) -> list[str]:
    """Response PDUs in hex over one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    answers = []
    try:
        async with asyncio.timeout(60):
            for pdu in map(bytes.fromhex, pdus):
                writer.write(struct.pack(">HHHB", 1, 0, len(pdu) + 1, 11) + pdu)
                head = await reader.readexactly(7)
                answers.append((await reader.readexactly(int.from_bytes(head[4:6], "big") - 1)).hex(" "))
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    return answers


async def test_a_client_with_a_certificate_is_served(bench: Any, port: int, folder: Path) -> None:
    """The role comes from the extension, and name, thumbprint and role are evidence of every request."""
    assert await ask(port, context(folder, "operator"), "0300640002", "0600ca0064") == [
        "03 04 43 66 80 00",
        "06 00 ca 00 64",
    ]
    opened, read, _ = bench.sink.events[:3]
    assert (opened.kind, opened.user, opened.detail["role"]) == ("open", "operator", "Operator")
    assert (read.user, read.detail["role"], len(read.thumb)) == ("operator", "Operator", 40)


async def test_a_library_client_is_served(port: int, folder: Path) -> None:
    """The TLS client of pymodbus reads."""
    tls = context(folder, "operator")
    client = AsyncModbusTlsClient("127.0.0.1", port=port, sslctx=tls)
    assert await client.connect()
    assert (await client.read_holding_registers(100, count=2, device_id=11)).registers == [0x4366, 0x8000]
    client.close()


async def test_a_role_may_do_what_it_may(bench: Any, port: int, folder: Path) -> None:
    """What a role may not do is answered with 01 and is not done; evidence holds the refusal."""
    answers = await ask(port, context(folder, "panel"), "0300640002", "0600ca0064", "0f000000020103")
    assert answers == ["03 04 43 66 80 00", "86 01", "8f 01"]
    assert bench.device["ramp"] == 5
    refused = bench.sink.of("write")[0]
    assert (refused.status, refused.detail["role"], refused.user) == (1, "Viewer", "panel")
    assert await ask(port, context(folder, "auditor"), "0300640002", "2b0e0100") != ["83 01", "ab 01"]
    assert (await ask(port, context(folder, "auditor"), "0300640002"))[0] == "83 01"
    assert await ask(port, context(folder, "guest"), "0300640002") == ["83 01"]


async def test_one_role_s_read_is_not_another_s(port: int, folder: Path) -> None:
    """A read that one client was allowed is refused to the next that may not."""
    for _ in range(2):
        assert await ask(port, context(folder, "operator"), "0300640002", "0300640002") == ["03 04 43 66 80 00"] * 2
        assert await ask(port, context(folder, "guest"), "0300640002") == ["83 01"]


async def test_a_client_without_a_certificate_is_not_served(bench: Any, port: int, folder: Path) -> None:
    """Without a certificate there is no session, and the evidence says why."""
    with pytest.raises((OSError, asyncio.IncompleteReadError)):
        await ask(port, context(folder, None), "0300640002")
    assert not bench.sink.of("open", "read")
    told = bench.sink.of("reject")
    assert [event.detail["reason"] for event in told] == ["TLS handshake: peer did not return a certificate"]
    assert await ask(port, context(folder, "operator"), "0300640002") == ["03 04 43 66 80 00"]


async def test_a_certificate_of_another_authority_is_not_taken(
    bench: Any, port: int, folder: Path, tmp_path: Path
) -> None:
    """A certificate that somebody else signed proves nothing."""
    make_certificates(tmp_path, ("127.0.0.1",), {"operator": "Operator"})
    tls = context(folder, None)
    tls.load_cert_chain(tmp_path / "operator.pem", tmp_path / "operator.key")
    with pytest.raises((OSError, asyncio.IncompleteReadError)):
        await ask(port, tls, "0300640002")
    assert not bench.sink.of("open", "read")
    assert "certificate verify failed" in bench.sink.of("reject")[0].detail["reason"]


async def test_plain_modbus_is_not_served(bench: Any, port: int) -> None:
    """A client that speaks plain TCP gets no answer and no session."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(bytes.fromhex("000100000006 0b 0300640002"))
    with contextlib.suppress(ConnectionError):
        answer = await reader.read(100)
        assert answer[:1] in (b"", b"\x15")  # a TLS alert at most
    writer.close()
    assert not bench.sink.of("open", "read")


async def test_tls_1_2_is_the_oldest_and_certificates_are_required(port: int, folder: Path) -> None:
    """TLS before 1.2 is not spoken, 1.2 is; the client must prove itself."""
    files = Files(folder / "server.pem", folder / "server.key", folder / "authority.pem")
    server = files.context()
    assert (server.minimum_version, server.verify_mode) == (ssl.TLSVersion.TLSv1_2, ssl.CERT_REQUIRED)
    tls = context(folder, "operator")
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    assert await ask(port, tls, "0300640002") == ["03 04 43 66 80 00"]


def test_certificates_are_made_once(folder: Path) -> None:
    """What is there is used again; each role has a client whose certificate carries it, named ones carry none."""
    files = make_certificates(folder, ("127.0.0.1",), {"late": "Late"})
    assert files == Files(folder / "server.pem", folder / "server.key", folder / "authority.pem")
    assert not (folder / "late.pem").exists()
    load = x509.load_pem_x509_certificate
    assert role_of(load((folder / "operator.pem").read_bytes())) == "Operator"
    assert role_of(load((folder / "panel.pem").read_bytes())) == ""


async def test_missing_files_are_named(bench: Any, tmp_path: Path) -> None:
    """Files that cannot be used are named, with what to give; without any it says so."""
    nothing = Files(tmp_path / "a.pem", tmp_path / "a.key", tmp_path / "ca.pem")
    with pytest.raises(EndpointError, match=r"a\.pem.*PEM files"):
        await ModbusEndpoint(bench.plant, {11: "an1"}, bench.sink, options=OPTIONS, certificates=nothing).__aenter__()
    with pytest.raises(EndpointError, match="needs certificates"):
        await ModbusEndpoint(bench.plant, {11: "an1"}, bench.sink, options=OPTIONS).__aenter__()


def test_the_standard_s_port() -> None:
    """TLS listens on 802 unless the scenario says otherwise."""
    assert OPTIONS.port == 802
    assert ModbusSpec.model_validate({"units": {}, "transport": "tls", "port": 5802}).port == 5802


@pytest.mark.parametrize("name", ["../boss", "", "a/b", "x" * 80])
def test_a_role_is_a_file_name(name: str) -> None:
    """A role or a common name that could not be the name of a file is refused when the scenario is read."""
    with pytest.raises(ValueError, match="pattern"):
        ModbusSpec.model_validate({"units": {}, "tls": {"permissions": {name: "all"}}})
    with pytest.raises(ValueError, match="pattern"):
        ModbusSpec.model_validate({"units": {}, "tls": {"roles": {name: "Viewer"}}})
