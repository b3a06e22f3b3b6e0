"""The secure channel of one connection (OPC 10000-6 §6.7, OPC 10000-4 §5.6.2): tokens, sequence numbers, whole messages."""

from __future__ import annotations

import itertools
import os
import struct
from collections.abc import Callable, Collection
from hashlib import sha1
from typing import Any

from asyncua import ua
from asyncua.crypto import security_policies
from cryptography.x509 import Certificate

from labsim.endpoints.opcua.core import asymmetric, symmetric
from labsim.endpoints.opcua.core.certificate import Pair
from labsim.endpoints.opcua.core.codec import datetime_of, decode, encode, wall_filetime
from labsim.endpoints.opcua.core.limits import Limits
from labsim.endpoints.opcua.core.pki import Pki
from labsim.endpoints.opcua.core.policy import MODE_NONE, NONE, POLICIES, Security, short_name
from labsim.endpoints.opcua.core.status import Bad, S
from labsim.endpoints.opcua.core.symmetric import Keys, Token
from labsim.endpoints.opcua.core.transport import Chunk, Transport

_GRACE = 1.25  # a token is taken 25 % longer than its lifetime (OPC 10000-4 §5.6.2.1)
_WRAP = 0xFFFFFFFF - 1024
_OPEN = ua.ObjectIds.OpenSecureChannelRequest_Encoding_DefaultBinary
_ids = itertools.count(int.from_bytes(os.urandom(2), "little") + 1)


class Channel:
    """Security of one connection.

    Attributes:
        id: 0 until it is open.
        policy_uri: The security policy.
        mode: The message security mode, 1 to 3.
        lifetime: Milliseconds the newest token is good for.
        peer_certificate: The client's certificate as DER; None without security.
    """

    def __init__(
        self,
        transport: Transport,
        limits: Limits,
        pki: Pki,
        offered: Collection[Security],
        monotonic: Callable[[], float],
    ) -> None:
        self._transport, self._limits, self._pki, self._offered = transport, limits, pki, offered
        self._monotonic = monotonic
        self.id, self.policy_uri, self.mode, self.lifetime = 0, "", 0, 0
        self._opened: asymmetric.Opened | None = None
        self._tokens: dict[int, Token] = {}
        self._sending: Token | None = None
        self._received: int | None = None
        self._sent = 0
        self._parts: list[bytes] = []
        self._parts_request: int | None = None
        self._parts_size = 0

    @property
    def policy_name(self) -> str:
        """``Basic256Sha256``."""
        return short_name(self.policy_uri)

    @property
    def policy(self) -> Any:
        """The policy object of asyncua with the keys of both sides."""
        assert self._opened is not None
        return self._opened.policy

    @property
    def peer_certificate(self) -> bytes | None:
        """The client's own certificate as DER, proven by its signature."""
        return self._opened.certificate if self._opened else None

    @property
    def chain(self) -> tuple[Certificate, ...]:
        """The client's own certificate, and the issuers it sent; empty without security."""
        return self._opened.chain if self._opened else ()

    @property
    def peer(self) -> Certificate | None:
        """The client's own certificate."""
        return self.chain[0] if self.chain else None

    @property
    def own(self) -> Pair | None:
        """The server's own pair the channel was made with; None without security."""
        return self._opened.own if self._opened else None

    @property
    def thumbprint(self) -> str:
        """SHA-1 of the client's certificate in hexadecimal; empty without security."""
        der = self.peer_certificate
        return sha1(der, usedforsecurity=False).hexdigest() if der else ""

    def expired(self, now: float) -> bool:
        """Whether every token has run out."""
        return bool(self._tokens) and all(now > token.expires for token in self._tokens.values())

    # ---- receiving ----

    def receive(self, chunk: Chunk) -> tuple[int, bytes] | None:
        """Verify and decrypt one MSG or CLO chunk; request id and body once the message is whole.

        Raises:
            Bad: the connection has to be cut.
        """
        data = chunk.data
        if len(data) < symmetric.HEAD_SIZE:
            raise Bad(S.BadSecurityChecksFailed, "a short chunk")
        channel, token_id = struct.unpack_from("<II", data, 8)
        if channel != self.id or not self.id:
            raise Bad(S.BadTcpSecureChannelUnknown, "another channel's id")
        token = self._tokens.get(token_id)
        if token is None or self._monotonic() > token.expires:
            raise Bad(S.BadSecureChannelTokenUnknown, "token id")
        data = symmetric.open_symmetric(data, self.mode, token)
        if self._sending is not None and token.id > self._sending.id:
            self._tokens, self._sending = {token.id: token}, token  # the client moved on, so the old keys end
        sequence, request = struct.unpack_from("<II", data, 16)
        self._follow(sequence)
        body = data[symmetric.HEAD_SIZE :]
        if chunk.final == b"F" and self._parts_request is None:
            return request, body
        return self._assemble(chunk.final, request, body)

    def _assemble(self, final: bytes, request: int, body: bytes) -> tuple[int, bytes] | None:
        """Chunks of a message follow each other; its size is limited before it is kept (OPC 10000-6 §6.7.3)."""
        if self._parts_request is not None and request != self._parts_request:
            raise Bad(S.BadTcpMessageTypeInvalid, "chunks of two messages")
        self._parts_size += len(body)
        if final != b"A":
            if self._parts_size > self._limits.max_message or len(self._parts) >= self._limits.max_chunks:
                raise Bad(S.BadRequestTooLarge, "more than the ACK allows")
            self._parts.append(body)
            self._parts_request = request
            if final != b"F":
                return None
        whole = b"".join(self._parts)
        self._parts, self._parts_request, self._parts_size = [], None, 0
        return (request, whole) if final == b"F" else None

    def _follow(self, sequence: int) -> None:
        """Sequence numbers go up by one and may start again below 1024 (OPC 10000-6 §6.7.2.4)."""
        last = self._received
        if last is not None and sequence != last + 1 and not (last > _WRAP and sequence < 1024):
            raise Bad(S.BadSequenceNumberInvalid, f"{sequence} after {last}")
        self._received = sequence

    # ---- OpenSecureChannel ----

    def open(self, chunk: Chunk) -> bytes:
        """Take an OPN, issue or renew, and give the response chunk.

        Raises:
            Bad: refused; the connection has to be cut.
        """
        uri = asymmetric.parse_header(chunk.data)[0]
        # Discovery needs no security, so that a client can learn what is offered (OPC 10000-4 §5.5.4).
        if uri not in POLICIES or (uri != NONE and all(uri != offered for offered, _ in self._offered)):
            raise Bad(S.BadSecurityPolicyRejected, f"policy {short_name(uri)[:40] or uri[:40]!r} is not offered")
        if self.id and uri != self.policy_uri:
            raise Bad(S.BadSecurityChecksFailed, "the policy changed")
        opened = asymmetric.open_asymmetric(chunk.data, self._pki, self._opened)
        if len(opened.plain) < 8:
            raise Bad(S.BadTcpMessageTypeInvalid, "a short OPN")
        sequence, request_id = struct.unpack_from("<II", opened.plain)
        if self.id:
            self._follow(sequence)
        request = decode(ua.OpenSecureChannelRequest, opened.plain[8:])
        if request.TypeId != ua.NodeId(_OPEN):
            raise Bad(S.BadTcpMessageTypeInvalid, "not an OpenSecureChannel request")
        self._judge(request.Parameters, uri)
        self._received = sequence
        if not self.id:
            self.id, self.policy_uri, self.mode = next(_ids), uri, int(request.Parameters.SecurityMode)
        self._opened = opened
        return self._grant(request, request_id)

    def _judge(self, asked: Any, uri: str) -> None:
        if asked.ClientProtocolVersion != self._transport.version:
            raise Bad(S.BadProtocolVersionUnsupported, "another version than in HEL")
        renew = asked.RequestType == ua.SecurityTokenRequestType.Renew
        if renew != bool(self.id):
            raise Bad(S.BadTcpSecureChannelUnknown if renew else S.BadRequestTypeInvalid, "issue or renew")
        mode = int(asked.SecurityMode)
        offered = mode == MODE_NONE if uri == NONE else (uri, mode) in self._offered
        if not offered or (self.id and mode != self.mode):
            raise Bad(S.BadSecurityModeRejected, "the mode is not offered")
        if uri != NONE and len(asked.ClientNonce or b"") != POLICIES[uri].secure_channel_nonce_length:
            raise Bad(S.BadNonceInvalid, "the length of the nonce")

    def _grant(self, request: Any, request_id: int) -> bytes:
        assert self._opened is not None
        asked, limits = request.Parameters, self._limits
        lifetime = min(max(asked.RequestedLifetime or limits.max_token_ms, limits.min_token_ms), limits.max_token_ms)
        self.lifetime, nonce = lifetime, os.urandom(self.policy.secure_channel_nonce_length)
        token = self._issue(asked.ClientNonce or b"", nonce, lifetime)
        response = ua.OpenSecureChannelResponse()
        response.ResponseHeader.RequestHandle = request.RequestHeader.RequestHandle
        response.ResponseHeader.Timestamp = datetime_of(wall_filetime())
        granted = response.Parameters
        granted.SecurityToken = ua.ChannelSecurityToken(self.id, token.id, datetime_of(wall_filetime()), lifetime)
        granted.ServerNonce = nonce or None
        plain = struct.pack("<II", self._next(), request_id) + encode(response)
        return asymmetric.seal_asymmetric(self._opened, self.policy_uri, self.id, plain)

    def _issue(self, client_nonce: bytes, nonce: bytes, lifetime: int) -> Token:
        """A new token; the server goes on sending with the old one until the client uses the new one."""
        keys = None
        if self.mode != MODE_NONE:
            derived = self.policy.symmetric_cryptography = security_policies.Cryptography(
                ua.MessageSecurityMode(self.mode)
            )
            self.policy.make_local_symmetric_key(client_nonce, nonce)
            self.policy.make_remote_symmetric_key(nonce, client_nonce, lifetime)
            keys = Keys(derived, self.mode)
        number = max(self._tokens, default=0) + 1
        token = Token(number, keys, lifetime, self._monotonic() + lifetime / 1000 * _GRACE)
        if self._sending is None:
            self._sending = token
        self._tokens = {self._sending.id: self._sending, token.id: token}
        return token

    # ---- sending ----

    def _next(self) -> int:
        self._sent = self._sent + 1 if self._sent < _WRAP else 1
        return self._sent

    def fits(self, size: int) -> bool:
        """Whether the client's limits let a response of ``size`` bytes through (OPC 10000-6 §7.1.2.3)."""
        transport = self._transport
        small_enough = not transport.peer_max_message or size <= transport.peer_max_message
        return small_enough and (not transport.peer_max_chunks or -(-size // self._room) <= transport.peer_max_chunks)

    @property
    def _room(self) -> int:
        """Bytes of a body that fit into one chunk."""
        return self._transport.send_size - symmetric.overhead(self.mode)

    def seal(self, request_id: int, body: bytes) -> bytes:
        """The chunks of a response that `fits`."""
        token, room = self._sending, self._room
        assert token is not None
        last, parts = (len(body) - 1) // room, []
        for number in range(last + 1):
            part = body[number * room : (number + 1) * room] if last else body
            final = b"F" if number == last else b"C"
            parts.append(symmetric.seal_symmetric(self.mode, token, final, self.id, self._next(), request_id, part))
        return b"".join(parts) if last else parts[0]
