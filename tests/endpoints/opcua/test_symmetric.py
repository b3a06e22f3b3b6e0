"""Chunks sealed and opened with kept contexts are those of the standard's plain construction, byte for byte."""

from __future__ import annotations

import hmac
import struct
from dataclasses import replace
from typing import Any

import pytest
from asyncua import ua
from asyncua.crypto import security_policies as policies
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from labsim.endpoints.opcua.core import symmetric
from labsim.endpoints.opcua.core.policy import MODE_NONE, MODE_SIGN, MODE_SIGN_AND_ENCRYPT
from labsim.endpoints.opcua.core.status import Bad, S
from labsim.endpoints.opcua.core.symmetric import Keys, Token

KEY_SIZES = {"Basic256Sha256": 32, "Aes128_Sha256_RsaOaep": 16}
SIGNING, VECTOR = bytes(range(32)), bytes(range(100, 116))
SECURE = [MODE_SIGN, MODE_SIGN_AND_ENCRYPT]


def token(mode: int, key_size: int = 32) -> Token:
    """A token both of whose sides have the same keys, so that what it seals it opens."""
    derived = policies.Cryptography(ua.MessageSecurityMode(mode))
    derived.Signer, derived.Verifier = policies.SignerHMac256(SIGNING), policies.VerifierHMac256(SIGNING)
    derived.Encryptor = policies.EncryptorAesCbc(bytes(key_size), VECTOR)
    derived.Decryptor = policies.DecryptorAesCbc(bytes(key_size), VECTOR)
    return Token(3, Keys(derived, mode), 60_000, 1e9)


def plainly(mode: int, key_size: int, sequence: int, body: bytes) -> bytes:
    """A chunk as OPC 10000-6 §6.7.2 describes it, with a new context for every part."""
    inner = struct.pack("<II", sequence, 9) + body
    if mode == MODE_SIGN_AND_ENCRYPT:
        fill = 15 - (len(inner) + 32) % 16
        inner += bytes([fill]) * (fill + 1)
    head = struct.pack("<4sIII", b"MSGF", 16 + len(inner) + 32, 7, 3)
    inner += hmac.new(SIGNING, head + inner, "sha256").digest()
    if mode == MODE_SIGN_AND_ENCRYPT:
        context = Cipher(algorithms.AES(bytes(key_size)), modes.CBC(VECTOR)).encryptor()
        inner = context.update(inner) + context.finalize()
    return head + inner


@pytest.mark.parametrize("key_size", KEY_SIZES.values(), ids=KEY_SIZES)
@pytest.mark.parametrize("mode", SECURE)
@settings(max_examples=40, deadline=None)
@given(bodies=st.lists(st.binary(max_size=200), min_size=1, max_size=5))
def test_a_run_of_chunks_is_the_plain_one(mode: int, key_size: int, bodies: list[bytes]) -> None:
    """Every message begins at the token's IV again, whatever was sealed or opened before it."""
    ours, theirs = token(mode, key_size), token(mode, key_size)
    for sequence, body in enumerate(bodies, 1):
        sealed = symmetric.seal_symmetric(mode, ours, b"F", 7, sequence, 9, body)
        assert sealed == plainly(mode, key_size, sequence, body)
        assert symmetric.open_symmetric(sealed, mode, theirs)[symmetric.HEAD_SIZE :] == body
        assert len(sealed) <= len(body) + symmetric.overhead(mode)


@pytest.mark.parametrize("mode", SECURE)
@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 10_000), change=st.integers(1, 255), cut=st.integers(0, 120))
def test_a_changed_or_cut_chunk_is_refused(mode: int, at: int, change: int, cut: int) -> None:
    """No byte of a chunk can be another, and none can be missing."""
    sealed = bytearray(symmetric.seal_symmetric(mode, token(mode), b"F", 7, 1, 9, b"a message of some length"))
    shorter = bytes(sealed[: len(sealed) - 1 - cut % (len(sealed) - 8)])
    sealed[at % len(sealed)] ^= change
    for data in (bytes(sealed), shorter):
        with pytest.raises(Bad) as refused:
            symmetric.open_symmetric(data, mode, token(mode))
        assert refused.value.code == S.BadSecurityChecksFailed


def test_padding_that_leaves_no_sequence_header_is_refused() -> None:
    """A signed chunk whose PaddingSize is longer than its body (OPC 10000-6 §6.7.2.5)."""
    made = token(MODE_SIGN_AND_ENCRYPT)
    assert made.keys is not None
    data = struct.pack("<4sIII", b"MSGF", 64, 7, 3) + struct.pack("<II", 1, 9) + b"\xff" * 8
    sealed = data[:16] + made.keys.encrypt(data[16:] + made.keys.sign(data))
    with pytest.raises(Bad, match="padding"):
        symmetric.open_symmetric(sealed, MODE_SIGN_AND_ENCRYPT, token(MODE_SIGN_AND_ENCRYPT))


@pytest.mark.parametrize("mode", SECURE)
def test_without_keys_nothing_is_let_through(mode: int) -> None:
    """A secured mode with a token that has no keys fails; it is never taken for mode None."""
    bare: Any = replace(token(mode), keys=None)
    with pytest.raises((AssertionError, AttributeError)):
        symmetric.open_symmetric(bytes(96), mode, bare)
    assert symmetric.open_symmetric(bytes(96), MODE_NONE, bare) == bytes(96)
