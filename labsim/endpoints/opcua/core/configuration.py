"""ServerConfiguration: the server's certificate and trust lists managed by a client (OPC 10000-12 §7.10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asyncua import ua
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from labsim.endpoints.opcua.core import nodes
from labsim.endpoints.opcua.core.capabilities import SERVER
from labsim.endpoints.opcua.core.certificate import (
    Pair,
    application_uri,
    der_of,
    make_request,
    read_chain,
    read_private_key,
)
from labsim.endpoints.opcua.core.discovery import PRODUCT_URI
from labsim.endpoints.opcua.core.method import Method
from labsim.endpoints.opcua.core.nodeid import Key, key_of
from labsim.endpoints.opcua.core.nodes import HAS_COMPONENT, HAS_PROPERTY, ORGANIZES, Space
from labsim.endpoints.opcua.core.role import Roles
from labsim.endpoints.opcua.core.status import Bad, S
from labsim.endpoints.opcua.core.trustlist import MAX_SIZE, TrustListFile

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.request import Request
    from labsim.endpoints.opcua.core.server import Server
    from labsim.endpoints.opcua.core.session import Session

VT = ua.VariantType
CONFIGURATION, GROUPS = 12637, 14053
APPLICATION_GROUP, APPLICATION_TRUST_LIST, USER_TRUST_LIST = 14156, 12642, 14123
RSA_SHA256 = 12560
_NULL: Key = 0
_UNSERVED = (
    (CONFIGURATION, 25709), (CONFIGURATION, 32336), (CONFIGURATION, 15892), (CONFIGURATION, 23597), (GROUPS, 14088),
)  # fmt: skip
# ResetToServerDefaults, TransactionDiagnostics, ConfigurationFile, HasSecureElement, the group for HTTPS
_KEY_BITS = 2048


def show_configuration(space: Space, roles: Roles) -> None:
    """Put the ServerConfiguration below the Server object: everybody may look, SecurityAdmin may call, encrypted."""
    space.link(SERVER, HAS_COMPONENT, CONFIGURATION)
    for parent, child in _UNSERVED:
        if space.get(child) is not None:
            space.unlink(parent, child)
    permissions = roles.restrict({"call": ("SecurityAdmin",)})
    todo: list[Key] = [CONFIGURATION]
    while todo:
        node = space.edit(todo.pop())
        node.attributes[nodes.ROLE_PERMISSIONS] = permissions
        if node.cls == nodes.METHOD:
            node.attributes[nodes.ACCESS_RESTRICTIONS] = nodes.ENCRYPTION
        todo.extend(node.targets((HAS_COMPONENT, HAS_PROPERTY, ORGANIZES)))


@dataclass(slots=True)
class _Pending:
    """A certificate that waits for ApplyChanges."""

    session: Session
    pair: Pair
    issuers: list[x509.Certificate]


class Configuration:
    """What stands behind the ServerConfiguration object of one server, which must have trust folders."""

    def __init__(self, server: Server) -> None:
        assert server.pki.trust is not None
        assert server.pki.users is not None
        self._server, self._pki = server, server.pki
        self._requested: rsa.RSAPrivateKey | None = None
        self._pending: _Pending | None = None
        self._lists = [
            TrustListFile(server.pki.trust, APPLICATION_TRUST_LIST, server.space),
            TrustListFile(server.pki.users, USER_TRUST_LIST, server.space),
        ]

    def serve(self) -> None:
        """Give the server its methods and values."""
        server, strings = self._server, VT.String
        server.methods |= {
            12737: Method(self._create_signing_request),
            13737: Method(self._update_certificate),
            12740: Method(self._apply_changes),
            25708: Method(self._cancel_changes),
            12777: Method(self._rejected_list),
        }
        server.values |= {
            25706: ua.Variant(server.uri, strings),
            25725: ua.Variant(PRODUCT_URI, strings),
            25707: ua.Variant(int(ua.ApplicationType.Server), VT.Int32),
            12710: ua.Variant(["NA"], strings, is_array=True),
            12639: ua.Variant(["PEM"], strings, is_array=True),
            12640: ua.Variant(MAX_SIZE, VT.UInt32),
            12641: ua.Variant(False, VT.Boolean),
            14161: ua.Variant([ua.NodeId(RSA_SHA256, 0)], VT.NodeId, is_array=True),
            14155: ua.Variant([], VT.NodeId, is_array=True),
        }
        for one in self._lists:
            server.methods |= one.methods()
            server.values |= one.values()

    def _check_group(self, arguments: list[Any]) -> None:
        group, kind = key_of(arguments[0]), key_of(arguments[1])
        if group not in (_NULL, APPLICATION_GROUP) or kind not in (_NULL, RSA_SHA256):
            raise Bad(S.BadInvalidArgument, "no such group or type of certificate")

    def _create_signing_request(self, _request: Request, _object: Key, arguments: list[Any]) -> list[Any]:
        """CreateSigningRequest (§7.10.10): a new key is kept until a certificate for it comes."""
        self._check_group(arguments)
        subject, key = arguments[2], self._pki.own.key
        try:
            name = x509.Name.from_rfc4514_string(subject) if subject else self._pki.own.certificate.subject
        except ValueError as error:
            raise Bad(S.BadInvalidArgument, f"the subject {subject!r}") from error
        if arguments[3]:
            key = self._requested = rsa.generate_private_key(65537, _KEY_BITS)
        return [ua.Variant(make_request(key, name, self._pki.uri, self._pki.hosts), VT.ByteString)]

    def _update_certificate(self, request: Request, _object: Key, arguments: list[Any]) -> list[Any]:
        """UpdateCertificate (§7.10.5): proven to be ours and good for us, then kept until ApplyChanges."""
        self._check_group(arguments)
        self._free_for(request)
        certificate, issuers, form, private = arguments[2:6]
        try:
            chain = read_chain(bytes(certificate or b""))
            further = [read_chain(bytes(der))[0] for der in issuers or ()]
        except ValueError as error:
            raise Bad(S.BadCertificateInvalid, str(error)) from error
        pair = Pair(chain[0], self._key_of(chain[0], form, private))
        if application_uri(chain[0]) != self._pki.uri:
            raise Bad(S.BadCertificateUriInvalid, "it names another application")
        code = self._pki.judge_own(chain[0])
        if code:
            raise Bad(code)
        self._pending = _Pending(request.session, pair, [*chain[1:], *further])
        return [ua.Variant(True, VT.Boolean)]

    def _key_of(self, certificate: x509.Certificate, form: str | None, private: bytes | None) -> rsa.RSAPrivateKey:
        """The private key of a certificate: the one given with it, that of the last request, or the present one."""
        if form or private:
            if form != "PEM":
                raise Bad(S.BadNotSupported, f"the key format {form!r}")
            try:
                candidates = [read_private_key(bytes(private or b""))]
            except ValueError as error:
                raise Bad(S.BadCertificateInvalid, str(error)) from error
        else:
            candidates = [key for key in (self._requested, self._pki.own.key) if key is not None]
        for key in candidates:
            if key.public_key() == certificate.public_key():
                return key
        raise Bad(S.BadSecurityChecksFailed, "this server has no key for the certificate")

    def _free_for(self, request: Request) -> None:
        pending = self._pending
        if pending is not None and pending.session is not request.session and not pending.session.closed:
            raise Bad(S.BadTransactionPending, "another session changes the certificate")

    def _apply_changes(self, request: Request, _object: Key, _arguments: list[Any]) -> None:
        """ApplyChanges (§7.10.9). Open channels go on until they are renewed; then their clients have to come anew."""
        self._free_for(request)
        pending = self._pending
        if pending is None:
            raise Bad(S.BadNothingToDo)
        assert self._pki.trust is not None
        self._pki.replace(pending.pair)
        for issuer in pending.issuers:
            self._pki.trust.add(issuer, trusted=False)
        self._pending = self._requested = None
        request.connection.tell_certificate(pending.pair.certificate, "server", "updated")

    def _cancel_changes(self, request: Request, _object: Key, _arguments: list[Any]) -> None:
        """CancelChanges (§7.10.11)."""
        self._free_for(request)
        if self._pending is None:
            raise Bad(S.BadNothingToDo)
        self._pending = None

    def _rejected_list(self, _request: Request, _object: Key, _arguments: list[Any]) -> list[Any]:
        """GetRejectedList (§7.10.12)."""
        assert self._pki.trust is not None
        rejected = [der_of(one) for one in self._pki.trust.rejected()]
        return [ua.Variant(rejected, VT.ByteString, is_array=True)]
