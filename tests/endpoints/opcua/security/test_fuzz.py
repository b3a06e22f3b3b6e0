"""Bytes of strangers where certificates and trust lists are read: a Bad code each time, never a fault of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from asyncua import ua
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labsim.endpoints.opcua.core.configuration import APPLICATION_TRUST_LIST
from labsim.endpoints.opcua.core.pki import Pki
from labsim.endpoints.opcua.core.standard import standard_space
from labsim.endpoints.opcua.core.status import Bad, is_bad
from labsim.endpoints.opcua.core.trust import TrustFolders
from labsim.endpoints.opcua.core.trustlist import TrustListFile
from labsim.endpoints.opcua.core.users import Accounts

S = ua.StatusCodes
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
INTERNAL = (S.BadInternalError, S.BadTcpInternalError)


def mutated(data: Any, whole: bytes) -> bytes:
    """The bytes with some changed, cut or added."""
    made = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 4))):
        made[data.draw(st.integers(0, len(made) - 1))] = data.draw(st.integers(0, 255))
    return bytes(made[: data.draw(st.integers(0, len(made)))]) + data.draw(st.binary(max_size=20))


@pytest.fixture
def certified(make_server: Any, tmp_path: Path) -> Any:
    """A server that takes user certificates, and never tires of wrong ones."""
    server = make_server(
        pki=Pki("urn:test:server", "test", tmp_path / "pki"), accounts=Accounts("Observer", certified="Operator")
    )
    server.throttle._most = 10**9
    return server


@QUICK
@given(data=st.data())
def test_user_certificates(data: Any, certified: Any, connect: Any, alone: Any) -> None:
    """A mutated certificate with a mutated signature is refused; the channel lives on."""
    peer = connect(certified)
    peer.token = peer.ask(ua.CreateSessionRequest()).Parameters.AuthenticationToken
    asked = ua.ActivateSessionRequest()
    asked.Parameters.UserIdentityToken = ua.X509IdentityToken("certificate", mutated(data, alone.der))
    algorithm = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    asked.Parameters.UserTokenSignature = ua.SignatureData(algorithm, data.draw(st.binary(max_size=300)))
    code = peer.result(asked)
    assert is_bad(code)
    assert code not in INTERNAL
    assert not peer.hung
    peer.connection.close("done")


@QUICK
@given(data=st.data())
def test_trust_lists(data: Any, tmp_path: Path, root: Any) -> None:
    """A mutated TrustListDataType is taken whole or refused with a Bad code, and what was there is then untouched."""
    from cryptography.hazmat.primitives import serialization

    folders = TrustFolders(tmp_path)
    folders.add(root.certificate)
    before = list(folders.load().trusted)
    file = TrustListFile(folders, APPLICATION_TRUST_LIST, standard_space())
    crl = root.crl().public_bytes(serialization.Encoding.DER)
    whole = struct_to_binary(ua.TrustListDataType(15, [root.pair.der], [crl], [root.pair.der], []))

    class Session:
        """Is there."""

        closed = False

    class Connection:
        """Hears of changes."""

        def tell_certificate(self, *_told: Any) -> None:
            """Nothing."""

    class Request:
        """Comes from both."""

        session, connection = Session(), Connection()

    request: Any = Request()
    (number,) = file._open(request, 0, [6])
    file._write(request, 0, [number.Value, mutated(data, whole)])
    try:
        file._close_and_update(request, 0, [number.Value])
        refused = None
    except Bad as error:
        refused = error.code
    assert refused is None or (is_bad(refused) and list(folders.load().trusted) == before)
    assert not file._opened()
