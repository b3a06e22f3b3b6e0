"""OPN chunks: the asymmetric security header, RSA signature and encryption (OPC 10000-6 §6.7.2.3, §6.7.4)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import sha1
from typing import Any

from asyncua import ua
from cryptography import x509

from labsim.endpoints.opcua.core.certificate import Pair, der_of, read_chain
from labsim.endpoints.opcua.core.judgement import told
from labsim.endpoints.opcua.core.pki import Pki
from labsim.endpoints.opcua.core.policy import NONE, POLICIES
from labsim.endpoints.opcua.core.status import GOOD, Bad, S, name_of

_FIELD_LIMITS = (255, 16_384, 20)  # policy URI, sender certificate, receiver thumbprint
_HEADER_AT = 12
_KEY_BITS = range(1024, 4096 + 1)  # what costs us no more than a moment; whether it is enough is judged later
_SEQUENCE_SIZE = 8


@dataclass(slots=True)
class Opened:
    """An OPN that was decrypted and verified.

    Attributes:
        policy: asyncua's policy object with the peer's keys.
        certificate: The peer's own certificate as DER; None without security.
        chain: The same, read, and the issuers that were sent with it; empty without security.
        own: The server's own pair it was made for; None without security.
        plain: Sequence header and body.
    """

    policy: Any
    certificate: bytes | None
    chain: tuple[x509.Certificate, ...]
    own: Pair | None
    plain: bytes


class CertificateRefused(Bad):
    """A client's certificate is not accepted, though the client proved that it has its key.

    Attributes:
        judged: What is wrong with it; `code` is what the client is told.
    """

    def __init__(self, certificate: x509.Certificate, judged: int) -> None:
        super().__init__(told(judged), f"the client's certificate: {name_of(judged)}")
        self.certificate, self.judged = certificate, judged


def parse_header(data: bytes) -> tuple[str, bytes, bytes, int]:
    """Policy URI, sender certificate, receiver thumbprint, and where the header ends."""
    fields: list[bytes] = []
    at = _HEADER_AT
    for limit in _FIELD_LIMITS:
        if at + 4 > len(data):
            raise Bad(S.BadTcpMessageTypeInvalid, "a short security header")
        length = max(struct.unpack_from("<i", data, at)[0], 0)
        at += 4
        if length > limit or at + length > len(data):
            raise Bad(S.BadSecurityChecksFailed, "a field of the security header")
        fields.append(data[at : at + length])
        at += length
    return fields[0].decode("utf-8", "replace"), fields[1], fields[2], at


def open_asymmetric(data: bytes, pki: Pki, known: Opened | None) -> Opened:
    """Decrypt and verify one OPN chunk of a secure policy; ``known`` is what the channel's first OPN gave.

    Raises:
        Bad: refused. Until the certificate is accepted the peer learns no more than BadSecurityChecksFailed.
    """
    uri, certificate, thumbprint, at = parse_header(data)
    if uri == NONE:
        return Opened(known.policy if known else POLICIES[NONE](), None, (), None, data[at:])
    if not certificate:
        raise Bad(S.BadCertificateInvalid, "no sender certificate")
    own = pki.own
    if thumbprint != own.thumbprint:
        raise Bad(S.BadSecurityChecksFailed, "encrypted for another certificate than this server's")
    chain, leaf = _chain(certificate)
    if known is not None and leaf != known.certificate:
        raise Bad(S.BadSecurityChecksFailed, "the client's certificate changed")
    policy = known.policy if known is not None else _policy(uri, chain[0], own)
    plain = _decrypt(policy.asymmetric_cryptography, data, at)
    code = pki.judge(chain)
    if code != GOOD:
        raise CertificateRefused(chain[0], code)
    return Opened(policy, leaf, tuple(chain), own, plain)


def _chain(der: bytes) -> tuple[list[x509.Certificate], bytes]:
    """The certificates of a chain and the DER of the first."""
    try:
        chain = read_chain(der)
        key: Any = chain[0].public_key()
        bits, leaf = key.key_size, der_of(chain[0])
    except Exception as error:  # foreign bytes fail in many types inside the certificate parser
        raise Bad(S.BadCertificateInvalid, "the client's certificate cannot be read") from error
    if bits not in _KEY_BITS:
        raise Bad(S.BadCertificatePolicyCheckFailed, f"a key of {bits} bits")
    return chain, leaf


def _policy(uri: str, peer: x509.Certificate, own: Pair) -> Any:
    try:
        return POLICIES[uri](peer, own.certificate, own.key, ua.MessageSecurityMode.SignAndEncrypt)
    except Exception as error:  # a key of another kind than RSA fails inside asyncua
        raise Bad(S.BadCertificateInvalid, "the client's key does not fit the policy") from error


def _decrypt(cryptography: Any, data: bytes, at: int) -> bytes:
    try:
        plain = bytes(cryptography.Decryptor.decrypt(data[at:]))
        size = cryptography.Verifier.signature_size()
        cryptography.Verifier.verify(data[:at] + plain[:-size], plain[-size:])
    except Exception as error:  # wrong RSA input fails in many types; all mean the same
        raise Bad(S.BadSecurityChecksFailed, "decryption or signature") from error
    plain = plain[:-size]
    wide = cryptography.Decryptor.encrypted_block_size() > 256
    padding = (plain[-1] << 8 | plain[-2]) + 2 if wide else plain[-1] + 1
    if padding > len(plain) - _SEQUENCE_SIZE:
        raise Bad(S.BadSecurityChecksFailed, "padding")
    return plain[:-padding]


def seal_asymmetric(opened: Opened, uri: str, channel_id: int, plain: bytes) -> bytes:
    """An OPN chunk around sequence header and body; signed and encrypted unless the policy is None."""
    name = uri.encode()
    header, own = struct.pack("<I", len(name)) + name, opened.own
    if own is None or opened.certificate is None:
        header += b"\xff" * 8
        return struct.pack("<4sII", b"OPNF", _HEADER_AT + len(header) + len(plain), channel_id) + header + plain
    thumbprint = sha1(opened.certificate, usedforsecurity=False).digest()
    header += struct.pack("<I", len(own.der)) + own.der + struct.pack("<I", len(thumbprint)) + thumbprint
    cryptography = opened.policy.asymmetric_cryptography
    plain += cryptography.padding(len(plain))
    blocks = (len(plain) + cryptography.Signer.signature_size()) // cryptography.Encryptor.plain_block_size()
    size = _HEADER_AT + len(header) + blocks * cryptography.Encryptor.encrypted_block_size()
    head = struct.pack("<4sII", b"OPNF", size, channel_id) + header
    return head + bytes(cryptography.Encryptor.encrypt(plain + cryptography.Signer.signature(head + plain)))
