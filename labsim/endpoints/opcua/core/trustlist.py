"""A TrustList of the address space: the trust folders as a file a client reads and writes (OPC 10000-12 §7.8.2)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from asyncua import ua
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from labsim.endpoints.opcua.core.certificate import der_of, read_chain, read_revocation_list, thumbprint_of
from labsim.endpoints.opcua.core.codec import EPOCH, datetime_of, decode, encode
from labsim.endpoints.opcua.core.method import Method
from labsim.endpoints.opcua.core.nodeid import Key
from labsim.endpoints.opcua.core.nodes import Space
from labsim.endpoints.opcua.core.status import Bad, S
from labsim.endpoints.opcua.core.trust import TrustFolders

if TYPE_CHECKING:
    from labsim.endpoints.opcua.core.request import Request
    from labsim.endpoints.opcua.core.session import Session

VT = ua.VariantType
MAX_SIZE = 1 << 20
_READ, _WRITE_NEW = 1, 6  # modes of Open (OPC 10000-20 §4.2.2)
_MOST_OPEN = 10
_TRUSTED, _TRUSTED_CRLS, _ISSUERS, _ISSUER_CRLS, _ALL = 1, 2, 4, 8, 15  # TrustListMasks


@dataclass(slots=True)
class _Handle:
    session: Session
    writing: bool
    data: bytearray = field(default_factory=bytearray)
    position: int = 0


class TrustListFile:
    """One TrustList object.

    Args:
        folders: What it shows and changes.
        key: The object's node.
        space: Where it stands.
    """

    def __init__(self, folders: TrustFolders, key: Key, space: Space) -> None:
        self._folders, self._key, self._space = folders, key, space
        self._handles: dict[int, _Handle] = {}
        self._numbers = itertools.count(1)

    def methods(self) -> dict[Key, Method]:
        """What can be called."""
        callees = {
            "Open": self._open, "OpenWithMasks": self._open_with_masks, "Close": self._close, "Read": self._read,
            "Write": self._write, "GetPosition": self._get_position, "SetPosition": self._set_position,
            "CloseAndUpdate": self._close_and_update, "AddCertificate": self._add, "RemoveCertificate": self._remove,
        }  # fmt: skip
        return {self._child(name): Method(callee) for name, callee in callees.items()}

    def values(self) -> dict[Key, Any]:
        """Its properties."""
        return {
            self._child("Size"): lambda: ua.Variant(len(self._encoded(_ALL)), VT.UInt64),
            self._child("Writable"): ua.Variant(True, VT.Boolean),
            self._child("UserWritable"): ua.Variant(True, VT.Boolean),
            self._child("LastUpdateTime"): lambda: ua.Variant(
                datetime_of(self._folders.changed_ns() // 100 + EPOCH), VT.DateTime
            ),
            self._child("OpenCount"): lambda: ua.Variant(len(self._opened()), VT.UInt16),
        }

    def _child(self, name: str) -> Key:
        found = self._space.child(self._key, name)
        assert found is not None, name
        return found.key

    # ---- the file ----

    def _opened(self) -> dict[int, _Handle]:
        """Handles whose session is still there."""
        self._handles = {number: one for number, one in self._handles.items() if not one.session.closed}
        return self._handles

    def _encoded(self, mask: int) -> bytes:
        trust, data = self._folders.load(), ua.TrustListDataType()
        der = serialization.Encoding.DER
        data.SpecifiedLists = mask
        data.TrustedCertificates = [der_of(one) for one in trust.trusted] if mask & _TRUSTED else []
        data.TrustedCrls = [one.public_bytes(der) for one in trust.trusted_crls] if mask & _TRUSTED_CRLS else []
        data.IssuerCertificates = [der_of(one) for one in trust.issuers] if mask & _ISSUERS else []
        data.IssuerCrls = [one.public_bytes(der) for one in trust.issuer_crls] if mask & _ISSUER_CRLS else []
        return encode(data)

    def _new(self, request: Request, writing: bool, data: bytes) -> list[Any]:
        handles = self._opened()
        if any(one.writing for one in handles.values()) or (writing and handles):
            raise Bad(S.BadNotWritable if writing else S.BadNotReadable, "it is open already")
        if len(handles) >= _MOST_OPEN:
            raise Bad(S.BadTooManyOperations)
        number = next(self._numbers)
        handles[number] = _Handle(request.session, writing, bytearray(data))
        return [ua.Variant(number, VT.UInt32)]

    def _open(self, request: Request, _object: Key, arguments: list[Any]) -> list[Any]:
        if arguments[0] not in (_READ, _WRITE_NEW):
            raise Bad(S.BadInvalidArgument, "a trust list is read, or written anew")
        writing = arguments[0] == _WRITE_NEW
        return self._new(request, writing, b"" if writing else self._encoded(_ALL))

    def _open_with_masks(self, request: Request, _object: Key, arguments: list[Any]) -> list[Any]:
        return self._new(request, False, self._encoded(arguments[0] & _ALL))

    def _handle(self, request: Request, number: int) -> _Handle:
        found = self._opened().get(number)
        if found is None or found.session is not request.session:
            raise Bad(S.BadInvalidArgument, "no such file handle of this session")
        return found

    def _close(self, request: Request, _object: Key, arguments: list[Any]) -> None:
        self._handle(request, arguments[0])
        del self._handles[arguments[0]]

    def _read(self, request: Request, _object: Key, arguments: list[Any]) -> list[Any]:
        handle, size = self._handle(request, arguments[0]), arguments[1]
        if handle.writing:
            raise Bad(S.BadInvalidState, "it is open for writing")
        if size <= 0:
            raise Bad(S.BadInvalidArgument)
        data = bytes(handle.data[handle.position : handle.position + size])
        handle.position += len(data)
        return [ua.Variant(data, VT.ByteString)]

    def _write(self, request: Request, _object: Key, arguments: list[Any]) -> None:
        handle, data = self._handle(request, arguments[0]), arguments[1] or b""
        if not handle.writing:
            raise Bad(S.BadInvalidState, "it is open for reading")
        end = handle.position + len(data)
        if end > MAX_SIZE:
            raise Bad(S.BadEncodingLimitsExceeded, "larger than MaxTrustListSize")
        handle.data[handle.position : end] = data
        handle.position = end

    def _get_position(self, request: Request, _object: Key, arguments: list[Any]) -> list[Any]:
        return [ua.Variant(self._handle(request, arguments[0]).position, VT.UInt64)]

    def _set_position(self, request: Request, _object: Key, arguments: list[Any]) -> None:
        handle = self._handle(request, arguments[0])
        handle.position = min(arguments[1], len(handle.data))

    # ---- changes ----

    def _close_and_update(self, request: Request, _object: Key, arguments: list[Any]) -> list[Any]:
        """All or nothing: nothing changes unless all of it can be read. It is in force at once."""
        handle = self._handle(request, arguments[0])
        if not handle.writing:
            raise Bad(S.BadInvalidState, "it is open for reading")
        del self._handles[arguments[0]]
        given = decode(ua.TrustListDataType, bytes(handle.data))
        mask, before = int(given.SpecifiedLists), self._folders.load()
        trusted, issuers = _certificates(given.TrustedCertificates), _certificates(given.IssuerCertificates)
        trusted_crls, issuer_crls = _crls(given.TrustedCrls), _crls(given.IssuerCrls)
        if mask & _TRUSTED:
            self._folders.replace_certificates(trusted, True)
            self._tell_difference(request, before.trusted, trusted)
        if mask & _ISSUERS:
            self._folders.replace_certificates(issuers, False)
        if mask & _TRUSTED_CRLS:
            self._folders.replace_crls(trusted_crls, True)
        if mask & _ISSUER_CRLS:
            self._folders.replace_crls(issuer_crls, False)
        return [ua.Variant(False, VT.Boolean)]  # no ApplyChanges needed

    def _tell_difference(
        self, request: Request, before: Sequence[x509.Certificate], after: Sequence[x509.Certificate]
    ) -> None:
        for one in after:
            if one not in before:
                request.connection.tell_certificate(one, "list", "added")
        for one in before:
            if one not in after:
                request.connection.tell_certificate(one, "list", "removed")

    def _not_written(self) -> None:
        if any(one.writing for one in self._opened().values()):
            raise Bad(S.BadInvalidState, "it is open for writing")

    def _add(self, request: Request, _object: Key, arguments: list[Any]) -> None:
        self._not_written()
        certificate = _certificates([arguments[0]])[0]
        self._folders.add(certificate, bool(arguments[1]))
        request.connection.tell_certificate(certificate, "list", "added")

    def _remove(self, request: Request, _object: Key, arguments: list[Any]) -> None:
        self._not_written()
        thumbprint, trusted = str(arguments[0] or "").replace(" ", "").lower(), bool(arguments[1])
        trust = self._folders.load()
        for one in trust.trusted if trusted else trust.issuers:
            if thumbprint_of(one) == thumbprint:
                self._folders.remove(thumbprint, trusted)
                request.connection.tell_certificate(one, "list", "removed")
                return
        raise Bad(S.BadInvalidArgument, "no such certificate")


def _certificates(given: Sequence[bytes] | None) -> list[x509.Certificate]:
    try:
        return [read_chain(bytes(der or b""))[0] for der in given or ()]
    except ValueError as error:
        raise Bad(S.BadCertificateInvalid, str(error)) from error


def _crls(given: Sequence[bytes] | None) -> list[x509.CertificateRevocationList]:
    try:
        return [read_revocation_list(bytes(der or b"")) for der in given or ()]
    except ValueError as error:
        raise Bad(S.BadCertificateInvalid, str(error)) from error
