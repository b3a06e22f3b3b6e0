"""An OPC UA server of a lab that trusts a list: the trainee moves a file in the attempt's folder and is in."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from asyncua import Client, ua
from asyncua.crypto import security_policies as policies

from grader.checks import load
from labsim.endpoints.opcua.core.certificate import key_pem, make_pair
from labsim.errors import ScenarioError
from labsim.evidence.evidence import Evidence
from labsim.evidence.verify import verify
from labsim.lab.lab import Lab
from labsim.lab.options import Options
from labsim.scenario.folder import find_scenario

SECURITY = """
      security: {trust: list, modes: [SignAndEncrypt], policies: [Aes256_Sha256_RsaPss]}
      rights: {mill1.feed_override: {write: [Engineer]}}
      limits: {sessions: 5}
"""
URI = "urn:test:trainee"


def write_scenario(folder: Path, security: str) -> Path:
    """First-contact with options of its OPC UA server."""
    folder.mkdir()
    for file in find_scenario("first-contact").iterdir():
        if file.is_file():
            folder.joinpath(file.name).write_bytes(file.read_bytes())
    path = folder / "scenario.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("      devices: [mill1]\n", f"      devices: [mill1]{security}"), encoding="utf-8")
    return folder


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """A running lab."""
    folder = write_scenario(tmp_path / "scenario", SECURITY)
    async with Lab(folder, Options(seed="pki", attempt=tmp_path / "attempt", port_base=0)) as running:
        yield running


async def client_of(lab: Lab, folder: Path) -> Client:
    """The trainee's client with its own certificate."""
    url = next(address["url"] for address in lab.addresses() if address["protocol"] == "opcua")
    if not (folder / "own.der").exists():
        pair = make_pair(URI, "trainee")
        (folder / "own.der").write_bytes(pair.der)
        (folder / "own.pem").write_bytes(key_pem(pair.key))
    client = Client(url, timeout=60)
    client.application_uri = URI
    await client.set_security(
        policies.SecurityPolicyAes256Sha256RsaPss, str(folder / "own.der"), str(folder / "own.pem")
    )
    return client


async def test_from_rejected_to_trusted(lab: Lab, tmp_path: Path) -> None:
    """Refused, told by the coach, moved, let in, marked; the folder is no part of the seal, and the key is private."""
    pki = lab.options.attempt / "pki"
    with pytest.raises((ConnectionError, asyncio.TimeoutError, ua.UaError)):
        await (await client_of(lab, tmp_path)).connect()
    (rejected,) = (pki / "rejected").iterdir()
    rejected.rename(pki / "trusted" / "certs" / rejected.name)
    async with await client_of(lab, tmp_path) as client:
        index = await client.get_namespace_index("urn:labsim:cnc-mill")
        override = client.get_node(f"ns={index};s=mill1.feed_override")
        with pytest.raises(ua.UaStatusCodeError) as error:
            await override.write_value(await override.read_value())
        assert error.value.code == ua.StatusCodes.BadUserAccessDenied
    said: list[str] = []
    async with asyncio.timeout(60):
        async for entry in lab.feed.listen(0):
            said += [entry["text"]["en"]] if entry["kind"] == "certificate" else []
            if len(said) == 2:
                break
    assert "refused the certificate" in said[0]
    assert "now trusts" in said[1]
    check = load("opcua.certificate")
    assert check().judge(Evidence.load(lab.options.attempt), check.Params()).score == 1
    if os.name == "posix":
        assert (pki / "own" / "server-key.pem").stat().st_mode & 0o077 == 0
    await lab.close("test")
    (pki / "trusted" / "certs" / rejected.name).unlink()
    assert not [problem for problem in verify(lab.options.attempt) if "pki" in str(problem)]


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("security: {trust: some}", "trust"),
        ("security: {policies: [None], modes: [Sign]}", "no policy is left"),
        ("rights: {mil1.speed: {write: [Engineer]}}", "'rights' are of this server's devices mill1"),
        ("rights: {mill1.state: {write: [Boss]}}", "Engineer"),
        ("limits: {sessions: 0}", "sessions"),
    ],
)
def test_a_wrong_option_is_pointed_at(tmp_path: Path, option: str, problem: str) -> None:
    """Options are judged when the scenario is read, with their place."""
    folder = write_scenario(tmp_path / "scenario", f"\n      {option}\n")
    with pytest.raises(ScenarioError, match=problem):
        Lab(folder, Options(seed="pki", attempt=tmp_path / "attempt", port_base=0))
