"""Sessions and their services (OPC 10000-4 §5.7)."""

from __future__ import annotations

import os
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

from asyncua import ua
from asyncua.crypto import uacrypto
from asyncua.ua.ua_binary import nodeid_to_binary

from labsim.endpoints.opcua.core.certificate import Pair, application_uri
from labsim.endpoints.opcua.core.discovery import describe_endpoints
from labsim.endpoints.opcua.core.identity import Challenge, identify, without_secret
from labsim.endpoints.opcua.core.policy import MODE_NONE
from labsim.endpoints.opcua.core.request import Request
from labsim.endpoints.opcua.core.status import Bad, S
from labsim.endpoints.opcua.core.users import Identity

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.connection import Connection
    from labsim.endpoints.opcua.core.history import Point
    from labsim.endpoints.opcua.core.subscription import PublishRequest, Subscription
    from labsim.endpoints.opcua.core.view import BrowsePoint

_NONCE = 32  # bytes (OPC 10000-4 §5.7.2.2)


class Session:
    """One session. Its authentication token is 32 random bytes, so nobody can guess his way into it (§7.35).

    Attributes:
        token: The authentication token; ``token_raw`` as it stands in a request.
        connection: Where it lives now; None while its client is away.
        security: Policy and mode it was made with, which a new channel must have too.
        own: The server's pair its client was shown; None when it needed none.
        identity: The user; None until it is activated.
        claimed: The identity token that was given last, without its secret.
        last: The server's monotonic seconds of its last request.
        since: FILETIME of its beginning, by the store's clock.
        client: ApplicationDescription of its client.
        counters: Requests and errors by service.
        memo: The observer's own, until somebody activates it anew.
    """

    def __init__(self, connection: Connection, asked: Any, timeout_ms: float, now: float, own: Pair | None) -> None:
        channel = connection.channel
        self.id = ua.NodeId(int.from_bytes(os.urandom(4), "little") | 1, 1)
        self.id_text = str(self.id.to_string())
        self.token, self.nonce = os.urandom(32), os.urandom(_NONCE)
        self.token_raw = bytes(nodeid_to_binary(self.token_id))
        self.name = asked.SessionName or f"Session {self.id_text}"
        self.application: str = str(asked.ClientDescription.ApplicationUri or "")
        self.endpoint_url = str(asked.EndpointUrl or "")
        self.max_response = int(asked.MaxResponseMessageSize)
        self.connection: Connection | None = connection
        self.peer, self.thumbprint = connection.peer, channel.thumbprint
        self.made_on = channel.id
        self.certificate: bytes | None = channel.peer_certificate
        self.security = (channel.policy_uri, channel.mode)
        self.own = own
        self.timeout, self.last = timeout_ms / 1000, now
        self.activated = self.closed = False
        self.identity: Identity | None = None
        self.claimed: Any = None
        self.since, self.client = connection.server.store.now(), asked.ClientDescription
        self.counters: dict[str, list[int]] = {}
        self.memo: Any = None
        self.locales: list[str] = []
        self.subscriptions: dict[int, Subscription] = {}
        self.publish_queue: deque[PublishRequest] = deque()
        self.status_changes: deque[tuple[int, bytes]] = deque()
        self.browse_points: OrderedDict[bytes, BrowsePoint] = OrderedDict()
        self.history_points: OrderedDict[bytes, Point] = OrderedDict()

    @property
    def token_id(self) -> Any:
        """The authentication token as a NodeId."""
        return ua.NodeId(self.token, 0, ua.NodeIdType.ByteString)


def create_session(request: Request, message: Any) -> Any:
    """CreateSession (OPC 10000-4 §5.7.2)."""
    asked, server, connection = message.Parameters, request.server, request.connection
    channel, limits = connection.channel, server.limits
    if asked.ServerUri and asked.ServerUri != server.uri:
        raise Bad(S.BadServerUriInvalid)
    if channel.mode != MODE_NONE:
        _check_certificate(connection, asked)
    elif (channel.policy_uri, channel.mode) not in server.security:
        raise Bad(S.BadSecurityPolicyRejected, "without security there is discovery only")
    server.make_room_for_session()
    wanted = asked.RequestedSessionTimeout
    wanted = wanted if wanted > 0 else limits.max_session_ms  # NaN is not over 0 either
    # Without security and secrets nobody needs the certificate, so nobody has to wait for its key (§5.7.2.2).
    certified = channel.mode != MODE_NONE or bool(server.accounts) or server.accounts.certified is not None
    own = channel.own or (server.pki.own if certified else None)
    session = Session(
        connection, asked, min(max(wanted, limits.min_session_ms), limits.max_session_ms), request.now, own
    )  # fmt: skip
    server.sessions[session.token] = session
    request.session = session
    response = ua.CreateSessionResponse()
    given = response.Parameters
    given.SessionId, given.AuthenticationToken = session.id, session.token_id
    given.RevisedSessionTimeout, given.ServerNonce = session.timeout * 1000, session.nonce
    given.ServerCertificate = own.der if own is not None else None
    given.ServerEndpoints = describe_endpoints(server, asked.EndpointUrl, certified)
    given.MaxRequestMessageSize = limits.max_message
    if channel.mode != MODE_NONE:
        signer = channel.policy.asymmetric_cryptography.Signer
        signed = (asked.ClientCertificate or b"") + (asked.ClientNonce or b"")
        given.ServerSignature = ua.SignatureData(channel.policy.AsymmetricSignatureURI, signer.signature(signed))
    return response


def _check_certificate(connection: Connection, asked: Any) -> None:
    """The session's certificate is the channel's, and names the application (§5.7.2.2)."""
    if len(asked.ClientNonce or b"") < _NONCE:
        raise Bad(S.BadNonceInvalid)
    try:
        certificate = uacrypto.x509_from_der(asked.ClientCertificate)
        leaf = uacrypto.der_from_x509(certificate)
    except Exception as error:  # foreign bytes fail in many types inside the certificate parser
        raise Bad(S.BadCertificateInvalid, "the client's certificate cannot be read") from error
    if leaf != connection.channel.peer_certificate:
        raise Bad(S.BadCertificateInvalid, "another certificate than the channel's")
    named = application_uri(certificate)
    if named != asked.ClientDescription.ApplicationUri:
        claimed = asked.ClientDescription.ApplicationUri
        raise Bad(S.BadCertificateUriInvalid, f"the certificate names {named!r}, the client calls itself {claimed!r}")


def activate_session(request: Request, message: Any) -> Any:
    """ActivateSession (OPC 10000-4 §5.7.3): the first time, with another user, or from a new channel."""
    asked, connection = message.Parameters, request.connection
    session = request.session = request.server.find_session(message.RequestHeader.AuthenticationToken)
    channel = connection.channel
    if not session.activated and session.made_on != channel.id:
        raise Bad(S.BadSecureChannelIdInvalid)
    if session.certificate != channel.peer_certificate or session.security != (channel.policy_uri, channel.mode):
        raise Bad(S.BadSecurityChecksFailed, "another certificate, policy or mode than the session was made with")
    own = channel.own or session.own
    if channel.mode != MODE_NONE:
        assert own is not None
        _check_signature(request, asked.ClientSignature, own.der + session.nonce)
    session.claimed = without_secret(asked.UserIdentityToken)
    identity = identify(request, asked.UserIdentityToken, asked.UserTokenSignature, Challenge(own, session.nonce))
    if session.activated and session.connection is not connection and identity != session.identity:
        raise Bad(S.BadIdentityTokenRejected, "another user on the new channel")
    if session.connection is not connection:
        session.publish_queue.clear()  # their answers belonged to the old channel
    session.identity, session.activated, session.connection = identity, True, connection
    session.peer, session.last, session.own = connection.peer, request.now, own
    session.locales = list(asked.LocaleIds or session.locales)
    session.nonce = os.urandom(_NONCE)
    connection.quick, session.memo = session, None
    response = ua.ActivateSessionResponse()
    response.Parameters.ServerNonce = session.nonce
    return response


def _check_signature(request: Request, signature: Any, signed: bytes) -> None:
    policy = request.connection.channel.policy
    try:
        if signature.Algorithm not in (policy.AsymmetricSignatureURI, None, ""):
            raise ValueError(signature.Algorithm)
        policy.asymmetric_cryptography.Verifier.verify(signed, signature.Signature or b"")
    except Exception as error:  # a wrong signature fails in several types; all mean the same
        raise Bad(S.BadApplicationSignatureInvalid) from error


def close_session(request: Request, message: Any) -> Any:
    """CloseSession (OPC 10000-4 §5.7.4)."""
    session = request.session = request.server.find_session(message.RequestHeader.AuthenticationToken)
    here = session.connection is request.connection
    if not (here if session.activated else session.made_on == request.connection.channel.id):
        raise Bad(S.BadSecureChannelIdInvalid)
    request.server.close_session(session, bool(message.DeleteSubscriptions))
    return ua.CloseSessionResponse()


def cancel(request: Request, message: Any) -> Any:
    """Cancel (OPC 10000-4 §5.7.5): only Publish requests can be waiting."""
    queue = request.session.publish_queue
    wanted = [one for one in queue if one.handle == message.Parameters.RequestHandle]
    for one in wanted:
        queue.remove(one)
        one.connection.send_fault(one.request_id, one.handle, S.BadRequestCancelledByClient)
    response = ua.CancelResponse()
    response.Parameters.CancelCount = len(wanted)
    return response
