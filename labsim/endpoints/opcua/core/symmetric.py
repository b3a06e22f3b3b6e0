"""MSG and CLO chunks: tokens, HMAC signature and AES encryption (OPC 10000-6 §6.7.2.4, §6.7.5)."""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass
from typing import Any

from labsim.endpoints.opcua.core.policy import MODE_NONE, MODE_SIGN, MODE_SIGN_AND_ENCRYPT
from labsim.endpoints.opcua.core.status import Bad, S

_HEAD = struct.Struct("<3scIIIII")  # type, final, size, channel, token, sequence, request
HEAD_SIZE = _HEAD.size
_CLEAR = 16  # bytes before the part that is encrypted
_SIGNATURE = 32
_BLOCK = 16


@dataclass(slots=True)
class Token:
    """One security token: the keys of a span of time. ``expires`` is in the server's monotonic seconds."""

    id: int
    cryptography: Any
    lifetime_ms: int
    expires: float


def overhead(mode: int) -> int:
    """The most bytes a chunk needs beside its body."""
    return HEAD_SIZE + {MODE_NONE: 0, MODE_SIGN: _SIGNATURE, MODE_SIGN_AND_ENCRYPT: _SIGNATURE + _BLOCK + 1}[mode]


def open_symmetric(data: bytes, mode: int, token: Token) -> bytes:
    """A verified and decrypted chunk, without signature and padding.

    Raises:
        Bad: BadSecurityChecksFailed.
    """
    if mode == MODE_NONE:
        return data
    head, rest = data[:_CLEAR], data[_CLEAR:]
    keys = token.cryptography
    try:
        plain = bytes(keys.Decryptor.decrypt(rest)) if mode == MODE_SIGN_AND_ENCRYPT else rest
    except ValueError as error:
        raise Bad(S.BadSecurityChecksFailed, "the size of the encrypted part") from error
    if len(plain) < 8 + _SIGNATURE:
        raise Bad(S.BadSecurityChecksFailed, "a short chunk")
    body, signature = plain[:-_SIGNATURE], plain[-_SIGNATURE:]
    if not hmac.compare_digest(hmac.digest(keys.Verifier.key, head + body, "sha256"), signature):
        raise Bad(S.BadSecurityChecksFailed, "signature")
    if mode == MODE_SIGN_AND_ENCRYPT:
        padding = body[-1] + 1
        if padding > len(body) - 8:
            raise Bad(S.BadSecurityChecksFailed, "padding")
        body = body[:-padding]
    return head + body


def seal_symmetric(
    mode: int, token: Token, final: bytes, channel: int, sequence: int, request: int, body: bytes
) -> bytes:
    """One MSG chunk."""
    if mode == MODE_NONE:
        return _HEAD.pack(b"MSG", final, HEAD_SIZE + len(body), channel, token.id, sequence, request) + body
    keys = token.cryptography
    if mode == MODE_SIGN:
        size = HEAD_SIZE + len(body) + _SIGNATURE
        data = _HEAD.pack(b"MSG", final, size, channel, token.id, sequence, request) + body
        return data + hmac.digest(keys.Signer.key, data, "sha256")
    inner = 8 + len(body) + _SIGNATURE
    fill = _BLOCK - 1 - inner % _BLOCK
    size = _CLEAR + inner + fill + 1
    data = _HEAD.pack(b"MSG", final, size, channel, token.id, sequence, request) + body + bytes((fill,)) * (fill + 1)
    plain = data[_CLEAR:] + hmac.digest(keys.Signer.key, data, "sha256")
    return data[:_CLEAR] + bytes(keys.Encryptor.encrypt(plain))
