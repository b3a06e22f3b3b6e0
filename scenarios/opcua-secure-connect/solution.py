"""What a perfect trainee does in opcua-secure-connect: look before connecting, get trusted, log in, and stay encrypted.

Run as ``python solution.py READY.json``.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
import urllib.request
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha1
from pathlib import Path
from typing import Any

from asyncua import Client, Node, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

URI = "urn:trainee:opcua-secure-connect"
SERVER = "filling-01"
SPEED = ("Status", "MachSpeed")
GONE = (ConnectionError, TimeoutError, ua.UaError)


class Trainee:
    """Does the tasks in their order. The wrong answers override one step each."""

    mode = ua.MessageSecurityMode.SignAndEncrypt

    def __init__(self, ready: dict[str, Any], folder: Path) -> None:
        self.urls = [row["url"] for row in ready["endpoints"] if row["protocol"] == "opcua"]
        self.card, self.pki = ready["variants"], Path(ready["attempt"]) / "pki" / SERVER
        self.control, self.pace, self.folder = ready["control"], 1 / ready["speed"], folder
        self.url = ""

    async def run(self) -> None:
        """Look, get trusted, try what each user may, and come back after the restart."""
        flaws = {url: await self.flaw(url) for url in self.urls}
        (self.url,) = (url for url, flaw in flaws.items() if not flaw)
        (impostor,) = (url for url, flaw in flaws.items() if flaw)
        print(f"{impostor}: {flaws[impostor]}")
        await self.suspect(impostor)
        self.answer("impostor", self.verdict(flaws[impostor]))
        await self.become_trusted()
        await self.observe()
        await self.operate()
        await asyncio.sleep(2 * self.pace)
        await self.again()

    async def flaw(self, url: str) -> str:
        """What is wrong with a server's certificate, which it shows without a session; empty for nothing."""
        shown = next(each for each in await Client(url).connect_and_get_server_endpoints() if each.ServerCertificate)
        assert shown.ServerCertificate is not None
        assert shown.Server is not None
        certificate, now = x509.load_der_x509_certificate(shown.ServerCertificate), datetime.now(UTC)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if certificate.not_valid_after_utc < now:
            return "expired"
        if certificate.not_valid_before_utc > now:
            return "not-yet-valid"
        return (
            ""
            if shown.Server.ApplicationUri in names.get_values_for_type(x509.UniformResourceIdentifier)
            else "wrong-uri"
        )

    async def suspect(self, url: str) -> None:
        """Nothing more: whoever shows such a certificate gets no session."""

    def verdict(self, flaw: str) -> str:
        """What is told of the certificate."""
        return flaw

    async def become_trusted(self) -> None:
        """Be refused, find the own certificate among the refused, and let it in."""
        try:
            await (await self.client(self.card["operator"], f"Fill-{self.card['pin']}")).connect()
        except GONE:
            print("refused, as it should be")
        own = sha1((self.folder / "own.der").read_bytes(), usedforsecurity=False).hexdigest()
        for file in (self.pki / "rejected").iterdir():
            if sha1(file.read_bytes(), usedforsecurity=False).hexdigest() == own:
                file.rename(self.pki / "trusted" / "certs" / file.name)
                print(f"moved {file.name}")

    async def client(self, user: str, password: str) -> Client:
        """A client with its own certificate, for a user."""
        own, key = self.folder / "own.der", self.folder / "own.pem"
        uses, who = [ExtendedKeyUsageOID.CLIENT_AUTH], {"commonName": "trainee"}
        await setup_self_signed_certificate(key, own, URI, "localhost", uses, who)
        client = Client(self.url, timeout=20)
        client.application_uri = URI
        await client.set_security(SecurityPolicyBasic256Sha256, own, key, mode=self.mode)
        client.set_user(user)
        client.set_password(password)
        return client

    async def observe(self) -> None:
        """The observer may look and not write."""
        async with await self.client(f"view{self.card['number']}", f"View-{self.card['viewer_pin']}") as client:
            try:
                await self.write(client, self.card["speed"])
            except ua.UaStatusCodeError as error:
                print(f"the observer: {error}")

    async def operate(self) -> None:
        """The operator may; then the server is restarted."""
        async with await self.client(self.card["operator"], f"Fill-{self.card['pin']}") as client:
            await self.write(client, self.card["speed"])
            print("the operator has set the speed")
            for _ in range(60):
                await asyncio.sleep(self.pace)
                try:
                    await client.nodes.server_state.read_value()
                except GONE:
                    print("the server was restarted")
                    return
        raise TimeoutError("the server was not restarted")

    async def write(self, client: Client, value: float) -> None:
        """Set the speed of the machine."""
        node = await find(client, "fill1", SPEED)
        await node.write_value(ua.Variant(value, ua.VariantType.Float))

    async def again(self) -> None:
        """The same way as before, and no other."""
        async with await self.client(self.card["operator"], f"Fill-{self.card['pin']}") as client:
            print(f"{await (await find(client, 'fill1', SPEED)).read_value():g} bottles a minute")

    def answer(self, task: str, value: str) -> None:
        """Answer a task."""
        body = json.dumps({"task": task, "value": value}).encode()
        request = urllib.request.Request(f"{self.control}/answer", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request).close()


async def find(client: Client, machine: str, place: Iterable[str]) -> Node:
    """A node below a machine by its browse names, whatever their namespaces are."""
    node = client.nodes.objects
    for name in ("Machines", machine, *place):
        for child in await node.get_children(refs=ua.ObjectIds.HierarchicalReferences):
            if (await child.read_browse_name()).Name == name:
                node = child
                break
        else:
            raise LookupError(f"{name} is not below {node}")
    return node


def main(trainee: type[Trainee]) -> None:
    """Run a trainee on the lab that READY.json describes."""
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)  # refusals and a restart are what this lab is about
    ready = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(trainee(ready, Path(folder)).run())


if __name__ == "__main__":
    main(Trainee)
