"""MSG and CLO chunks: tokens, HMAC signature and AES encryption (OPC 10000-6 §6.7.2.4, §6.7.6)."""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers import CipherContext

from labsim.endpoints.opcua.core.policy import MODE_NONE, MODE_SIGN, MODE_SIGN_AND_ENCRYPT
from labsim.endpoints.opcua.core.status import Bad, S

_HEAD = struct.Struct("<3scIIIII")  # type, final, size, channel, token, sequence, request
HEAD_SIZE = _HEAD.size
_CLEAR = 16  # bytes before the part that is encrypted
_SIGNATURE = 32
_BLOCK = 16
_FILLS = [bytes((fill,)) * (fill + 1) for fill in range(_BLOCK)]  # PaddingSize and Padding
_LEAST_PLAIN = 8 + _SIGNATURE
_OVERHEAD = {
    MODE_NONE: HEAD_SIZE, MODE_SIGN: HEAD_SIZE + _SIGNATURE, MODE_SIGN_AND_ENCRYPT: HEAD_SIZE + _SIGNATURE + _BLOCK + 1,
}  # fmt: skip


class Cbc:
    """AES-CBC whose messages all begin at one IV, as it is derived once for a token (OPC 10000-6 §6.7.6).

    To make OpenSSL's context costs as much as to encrypt a kilobyte, so one is kept. It goes on from the last block of
    ciphertext of the message before; XOR of the first block of plaintext with that and the IV takes it back to the IV.

    Args:
        context: A new one at ``vector``, which nothing else uses.
    """

    __slots__ = ("_turn", "_update", "_vector")

    def __init__(self, context: CipherContext, vector: bytes) -> None:
        self._update, self._vector, self._turn = context.update, int.from_bytes(vector), 0

    def encrypt(self, plain: bytes) -> bytes:
        """The ciphertext of whole blocks, one at least."""
        first = (int.from_bytes(plain[:_BLOCK]) ^ self._turn).to_bytes(_BLOCK)
        data = self._update(first + plain[_BLOCK:])
        self._turn = int.from_bytes(data[-_BLOCK:]) ^ self._vector
        return data

    def decrypt(self, data: bytes) -> bytes:
        """The plaintext of whole blocks, one at least."""
        plain = self._update(data)
        first = (int.from_bytes(plain[:_BLOCK]) ^ self._turn).to_bytes(_BLOCK)
        self._turn = int.from_bytes(data[-_BLOCK:]) ^ self._vector
        return first + plain[_BLOCK:]


class Keys:
    """What signs, encrypts and undoes it with the keys of one token, made ready once for all of its chunks.

    Args:
        cryptography: asyncua's ``Cryptography`` with the derived keys of both sides; it encrypts too, or only signs.
    """

    __slots__ = ("_sign", "_verify", "decrypt", "encrypt")

    def __init__(self, cryptography: Any, mode: int) -> None:
        self._sign = hmac.new(cryptography.Signer.key, digestmod="sha256")
        self._verify = hmac.new(cryptography.Verifier.key, digestmod="sha256")
        if mode == MODE_SIGN_AND_ENCRYPT:
            ours, theirs = cryptography.Encryptor.cipher, cryptography.Decryptor.cipher
            self.encrypt = Cbc(ours.encryptor(), ours.mode.initialization_vector).encrypt
            self.decrypt = Cbc(theirs.decryptor(), theirs.mode.initialization_vector).decrypt

    def sign(self, data: bytes) -> bytes:
        """Our signature."""
        mac = self._sign.copy()
        mac.update(data)
        return mac.digest()

    def signed(self, data: bytes, signature: bytes) -> bool:
        """Whether the peer signed this."""
        mac = self._verify.copy()
        mac.update(data)
        return hmac.compare_digest(mac.digest(), signature)


@dataclass(slots=True)
class Token:
    """One security token: the keys of a span of time. ``expires`` is in the server's monotonic seconds."""

    id: int
    keys: Keys | None
    lifetime_ms: int
    expires: float


def overhead(mode: int) -> int:
    """The most bytes a chunk needs beside its body."""
    return _OVERHEAD[mode]


def open_symmetric(data: bytes, mode: int, token: Token) -> bytes:
    """A verified and decrypted chunk, without signature and padding.

    Raises:
        Bad: BadSecurityChecksFailed.
    """
    if mode == MODE_NONE:
        return data
    keys = token.keys
    assert keys is not None
    if mode == MODE_SIGN_AND_ENCRYPT:
        if len(data) <= _CLEAR or len(data) % _BLOCK:  # what is clear is one block
            raise Bad(S.BadSecurityChecksFailed, "the size of the encrypted part")
        data = data[:_CLEAR] + keys.decrypt(data[_CLEAR:])
    if len(data) < _CLEAR + _LEAST_PLAIN:
        raise Bad(S.BadSecurityChecksFailed, "a short chunk")
    body = data[:-_SIGNATURE]
    if not keys.signed(body, data[-_SIGNATURE:]):
        raise Bad(S.BadSecurityChecksFailed, "signature")
    if mode == MODE_SIGN_AND_ENCRYPT:
        padding = body[-1] + 1
        if padding > len(body) - HEAD_SIZE:
            raise Bad(S.BadSecurityChecksFailed, "padding")
        return body[:-padding]
    return body


def seal_symmetric(
    mode: int, token: Token, final: bytes, channel: int, sequence: int, request: int, body: bytes
) -> bytes:
    """One MSG chunk."""
    if mode == MODE_NONE:
        return _HEAD.pack(b"MSG", final, HEAD_SIZE + len(body), channel, token.id, sequence, request) + body
    keys = token.keys
    assert keys is not None
    if mode == MODE_SIGN:
        size = HEAD_SIZE + len(body) + _SIGNATURE
        data = _HEAD.pack(b"MSG", final, size, channel, token.id, sequence, request) + body
        return data + keys.sign(data)
    fill = -(HEAD_SIZE + len(body) + _SIGNATURE + 1) % _BLOCK
    size = HEAD_SIZE + len(body) + _SIGNATURE + fill + 1
    data = _HEAD.pack(b"MSG", final, size, channel, token.id, sequence, request) + body + _FILLS[fill]
    return data[:_CLEAR] + keys.encrypt(data[_CLEAR:] + keys.sign(data))
