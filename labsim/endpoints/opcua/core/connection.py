"""One connection without its socket: bytes in, services done, bytes out."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from asyncua import ua
from asyncua.ua.ua_binary import nodeid_from_binary
from cryptography.x509 import Certificate

from labsim.endpoints.opcua.core import fastread
from labsim.endpoints.opcua.core.asymmetric import CertificateRefused
from labsim.endpoints.opcua.core.audit import audit
from labsim.endpoints.opcua.core.certificate import der_of, thumbprint_of
from labsim.endpoints.opcua.core.channel import Channel
from labsim.endpoints.opcua.core.codec import (
    NO_DIAGNOSTICS,
    SafeBuffer,
    datetime_of,
    decode,
    encode,
    response_header,
    wall_filetime,
)
from labsim.endpoints.opcua.core.happening import (
    CERTIFICATE,
    CLOSE,
    ERROR,
    OPEN,
    CertificateFact,
    ChannelFact,
    Happening,
)
from labsim.endpoints.opcua.core.outbox import FULL, ObserverError
from labsim.endpoints.opcua.core.request import Request
from labsim.endpoints.opcua.core.services import SERVICES, Service
from labsim.endpoints.opcua.core.session import Session
from labsim.endpoints.opcua.core.status import Bad, S, name_of
from labsim.endpoints.opcua.core.subscription import PublishRequest
from labsim.endpoints.opcua.core.transport import Chunk, Transport, error_message

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.server import Server

_log = logging.getLogger(__name__)
_FAULT = ua.ObjectIds.ServiceFault_Encoding_DefaultBinary
_PUBLISH_RESPONSE = ua.ObjectIds.PublishResponse_Encoding_DefaultBinary
_UNTOLD = ("Publish", "Republish")  # they repeat what a subscription promised; the observer was told of its items


class Connection:
    """One peer.

    Args:
        server: Whose peer it is.
        peer: ``ip:port``.
        write: Sends bytes.
        hang_up: Closes the socket after what was written; True to drop that too.

    Attributes:
        push: Sends bytes now, whatever waits for evidence; ``leave`` closes the socket so.
        quick: The session that was activated here last; its reads may take the quick way.
    """

    def __init__(
        self, server: Server, peer: str, write: Callable[[bytes], None], hang_up: Callable[[bool], None]
    ) -> None:
        self.server, self.peer = server, peer
        self.push, self.leave = write, hang_up
        self.id = f"connection-{server.new_id()}"
        self._transport = Transport(server.limits)
        self.channel = Channel(self._transport, server.limits, server.pki, server.security, server.monotonic)
        self.born, self.closed = server.monotonic(), False
        self.quick: Session | None = None
        self._credit, self._credited = server.limits.max_requests_per_s, self.born
        server.connections[self] = None
        self._guarded(lambda: self.tell(Happening(OPEN, self, None)))

    def feed(self, data: bytes) -> None:
        """Work on received bytes and answer them at once. What cannot go on is cut with an ERR (OPC 10000-6 §7.1.5)."""
        if self.closed:
            return
        outbox, observer = self.server.outbox, self.server.observer
        outbox.open(observer)
        try:
            self._guarded(lambda: self._feed(data))
        finally:
            try:
                outbox.close(observer)
            except ObserverError:
                _log.exception("evidence of %s could not be kept; it is cut off", self.peer)
                self.abandon()

    def abandon(self) -> None:
        """Drop the connection and what it was to be answered, because that could not be kept."""
        self.server.leave(self)
        self.closed = True
        self.leave(True)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except CertificateRefused as error:
            self.cut(error.code, error.reason, told="")  # a stranger learns no more than the code
        except Bad as error:
            self.cut(error.code, error.reason)
        except ObserverError:
            _log.exception("evidence of %s could not be kept; it is cut off", self.peer)
            self._end(drop=True)
        except Exception:  # noqa: BLE001 - a bug of ours must cost no more than this connection
            _log.exception("an OPC UA connection failed")
            self.cut(int(S.BadTcpInternalError), "")

    def _feed(self, data: bytes) -> None:
        for chunk in self._transport.feed(data):
            self._take(chunk)
            if self.closed:
                return
            if self.server.outbox.size > FULL:
                self._settle()

    def _settle(self) -> None:
        """Send what waits, because it is much.

        Raises:
            ObserverError: it could not be kept.
        """
        outbox, observer = self.server.outbox, self.server.observer
        try:
            outbox.close(observer)
        finally:
            outbox.open(observer)

    def _write(self, data: bytes) -> None:
        outbox = self.server.outbox
        if outbox.is_open:
            outbox.put(self, data)
        else:
            self.push(data)

    def _take(self, chunk: Chunk) -> None:
        match chunk.kind:
            case b"MSG":
                message = self.channel.receive(chunk)
                if message is not None:
                    self._serve(*message)
            case b"HEL":
                self._write(self._transport.acknowledge())
            case b"OPN":
                self._open(chunk)
            case _:
                self.channel.receive(chunk)
                self.close("the client closed the channel")

    def _open(self, chunk: Chunk) -> None:
        """OpenSecureChannel, with what became of the client's certificate."""
        renewed = bool(self.channel.id)
        try:
            answer = self.channel.open(chunk)
        except CertificateRefused as error:
            self._refuse(error)
        certificate = self.channel.peer
        if certificate is not None and self.server.pki.newly_trusted(self.channel.thumbprint):
            self.tell_certificate(certificate, "client", "trusted")
        self.tell(Happening("OpenSecureChannel", self, None, facts=ChannelFact(renewed, self.channel.lifetime)))
        self._write(answer)

    def judge_again(self) -> None:
        """End the channel of a client that is trusted no more (OPC 10000-12 §7.8.2)."""
        chain = self.channel.chain
        code = self.server.pki.judge(chain) if chain else 0
        if code:
            self._guarded(lambda: self._refuse(CertificateRefused(chain[0], code)))

    def _refuse(self, refused: CertificateRefused) -> None:
        self.tell_certificate(refused.certificate, "client", "rejected", refused.judged)
        raise refused

    def tell_certificate(self, certificate: Certificate, of: str, action: str, status: int = 0) -> None:
        """Tell what became of a certificate; see `CertificateFact`."""
        subject = certificate.subject.rfc4514_string()
        fact = CertificateFact(thumbprint_of(certificate), subject, der_of(certificate), of, action)
        self.tell(Happening(CERTIFICATE, self, self.quick, status, name_of(status) if status else "", fact))

    def _over_rate(self) -> bool:
        """Whether this connection asks more often than it may: one second's worth of requests can come at once."""
        rate = self.server.limits.max_requests_per_s
        if not rate:
            return False
        now = self.server.monotonic()
        self._credit = min(self._credit + (now - self._credited) * rate, max(rate, 1.0))
        self._credited = now
        if self._credit < 1:
            return True
        self._credit -= 1
        return False

    def tell(self, happening: Happening) -> None:
        """Tell the observer.

        Raises:
            ObserverError: it raised.
        """
        try:
            self.server.observer(happening)
        except Exception as error:
            raise ObserverError(str(error)) from error
        if self.server.event_items:
            audit(self.server, happening)

    # ---- the end ----

    def cut(self, code: int, reason: str, told: str | None = None) -> None:
        """Refuse what the peer did: tell of it, send an ERR and close; the peer is ``told`` the reason unless that is given."""
        if self.closed:
            return
        try:
            self.tell(Happening(ERROR, self, self.quick, code, reason))
        except ObserverError:
            _log.exception("evidence of %s could not be kept", self.peer)
            self._end(drop=True)
            return
        self.dismiss(code, reason if told is None else told)

    def dismiss(self, code: int, reason: str) -> None:
        """Send an ERR and close, for no fault of the peer."""
        if not self.closed:
            self._write(error_message(code, reason))
            self.close(reason)

    def close(self, reason: str) -> None:
        """The peer is gone or going. Its sessions wait for it until their timeout (OPC 10000-4 §5.7.2)."""
        if self.closed:
            return
        try:
            self.tell(Happening(CLOSE, self, self.quick, reason=reason))
        except ObserverError:
            _log.exception("evidence of %s could not be kept", self.peer)
        self._end(drop=False)

    def _end(self, drop: bool) -> None:
        if self.closed:
            return
        self.closed = True
        self.server.leave(self)
        outbox = self.server.outbox
        if outbox.is_open:
            outbox.hang_up(self, drop)
        else:
            self.leave(drop)

    # ---- services ----

    def _serve(self, request_id: int, body: bytes) -> None:
        busy = self._over_rate()
        if self.quick is not None and self.server.quick and not busy and body.startswith(fastread.REQUEST):
            answer = fastread.answer(self, self.quick, body)
            if answer is not None:
                self.server.diagnostics.count("Read", 0, self.quick)
                self._send(request_id, answer)
                return
        service, handle = _peek(body)
        request = Request(self.server, self, request_id, handle)
        name, code, reason, response = service.name if service else "unknown", 0, "", None
        try:
            if service is None:
                raise Bad(S.BadServiceUnsupported, "this service is not supported")
            if busy:
                raise Bad(S.BadServerTooBusy, "more requests in a second than one connection may send")
            response = self._respond(request, service, body)
        except Bad as error:
            code, reason = error.code, error.reason
        except Exception:  # noqa: BLE001 - a bug of ours must cost no more than this request
            _log.exception("%s failed", name)
            code = int(S.BadInternalError)
        self.server.diagnostics.count(name, code, request.known_session)
        if code or name not in _UNTOLD:
            self.tell(Happening(name, self, request.known_session, code, reason, request.facts))
        if code:
            self.send_fault(request_id, handle, code)
        elif response is not None:
            self._send(request_id, response)
        for call in request.after:
            call()

    def _respond(self, request: Request, service: Service, body: bytes) -> bytes | None:
        quick = service.quick if self.server.quick else None
        message = decode(service.message, body) if quick is None else quick(body)
        if service.in_session:
            session = self.server.find_session(message.RequestHeader.AuthenticationToken)
            if not session.activated:
                raise Bad(S.BadSessionNotActivated)
            if session.connection is not self:
                raise Bad(S.BadSecureChannelIdInvalid)
            session.last = request.now
            request.session = session
        made = service.handler(request, message)
        if made is None:
            return None
        if not isinstance(made, bytes):
            header = made.ResponseHeader
            header.RequestHandle, header.Timestamp = request.handle, datetime_of(wall_filetime())
        response = made if isinstance(made, bytes) else encode(made)
        known = request.known_session
        too_large = known is not None and 0 < known.max_response < len(response)
        if too_large or not self.channel.fits(len(response)):
            raise Bad(S.BadResponseTooLarge, "the client does not allow an answer of this size")
        return response

    def _send(self, request_id: int, body: bytes) -> None:
        if not self.closed:
            self._write(self.channel.seal(request_id, body))

    def send_fault(self, request_id: int, handle: int, code: int) -> None:
        """A ServiceFault (OPC 10000-4 §7.34)."""
        self._send(request_id, response_header(_FAULT, handle, code))

    def send_publish(
        self, request: PublishRequest, subscription: int, available: list[int], more: bool, message: bytes
    ) -> None:
        """A PublishResponse around an encoded NotificationMessage."""
        results = request.results
        head = struct.pack(f"<Ii{len(available)}I?", subscription, len(available), *available, more)
        tail = struct.pack(f"<i{len(results)}I", len(results), *results) + NO_DIAGNOSTICS
        body = response_header(_PUBLISH_RESPONSE, request.handle) + head + message + tail
        if self.channel.fits(len(body)):
            self._send(request.request_id, body)
        else:  # it can Republish over a channel with larger buffers
            self.send_fault(request.request_id, request.handle, int(S.BadResponseTooLarge))


def _peek(body: bytes) -> tuple[Service | None, int]:
    """The service and the RequestHandle of a message, as far as they can be read.

    Raises:
        Bad: BadDecodingError, when there is no type id.
    """
    buffer: Any = SafeBuffer(body)
    try:
        kind = nodeid_from_binary(buffer)
    except Exception as error:  # foreign bytes fail in many types inside asyncua's decoder
        raise Bad(S.BadDecodingError, "a message without a type") from error
    service = SERVICES.get(kind.Identifier) if kind.NamespaceIndex == 0 else None
    try:
        nodeid_from_binary(buffer)
        return service, int(struct.unpack_from("<I", body, buffer.cur_pos + 8)[0])
    except Exception:  # noqa: BLE001 - as above; the fault is then answered without a handle
        return service, 0
