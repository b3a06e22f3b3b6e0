"""User identity tokens (OPC 10000-4 §7.40) and the secrets inside them."""

from __future__ import annotations

import hmac
import struct
from dataclasses import replace
from typing import Any, NamedTuple

from asyncua import ua
from asyncua.crypto import uacrypto

from labsim.endpoints.opcua.core.certificate import Pair, common_name, read_chain, thumbprint_of
from labsim.endpoints.opcua.core.discovery import ANONYMOUS, CERTIFICATE, PLAIN_USER_NAME, USER_NAME
from labsim.endpoints.opcua.core.policy import POLICIES, secret_policy
from labsim.endpoints.opcua.core.request import Request
from labsim.endpoints.opcua.core.status import Bad, S, name_of
from labsim.endpoints.opcua.core.users import Identity

_DECRYPT = {
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep": uacrypto.decrypt_rsa_oaep,
    "http://opcfoundation.org/UA/security/rsa-oaep-sha2-256": uacrypto.decrypt_rsa_oaep_sha256,
}
_MAX_SECRET, _MAX_CHAIN, _MAX_KEY = 4096, 16_384, 4096
_SIGNED = ua.MessageSecurityMode.SignAndEncrypt  # asyncua's policy objects want one; it does not matter here


class Challenge(NamedTuple):
    """What the secrets of a session are made for: the server's pair its client knows, and the session's last nonce."""

    own: Pair | None
    nonce: bytes


def identify(request: Request, token: Any, signature: Any, challenge: Challenge) -> Identity:
    """Who a token speaks for.

    Args:
        request: The ActivateSession request.
        token: The identity token.
        signature: The UserTokenSignature, which proves a certificate.
        challenge: What secret and signature have to be made for.

    Raises:
        Bad: BadIdentityTokenInvalid, BadIdentityTokenRejected, BadUserSignatureInvalid, or BadUserAccessDenied for a
            wrong password and for a host that had too many of them.
    """
    if token is None or (isinstance(token, ua.ExtensionObject) and token.Body is None):
        return _anonymous(request, None)
    if isinstance(token, ua.AnonymousIdentityToken):
        return _anonymous(request, token.PolicyId)
    host, throttle = request.connection.peer.rpartition(":")[0], request.server.throttle
    throttle.check(host, request.now)
    try:
        if isinstance(token, ua.UserNameIdentityToken):
            return _user(request, token, challenge)
        if isinstance(token, ua.X509IdentityToken):
            return _certified(request, token, signature, challenge)
    except Bad:
        throttle.failed(host, request.now)
        raise
    raise Bad(S.BadIdentityTokenInvalid, "no kind of user token that is offered")


def without_secret(token: Any) -> Any:
    """A user identity token as auditors may see it; None for one that is none."""
    if isinstance(token, ua.UserNameIdentityToken):
        return ua.UserNameIdentityToken(token.PolicyId, token.UserName, None, token.EncryptionAlgorithm)
    return token if isinstance(token, (ua.AnonymousIdentityToken, ua.X509IdentityToken)) else None


def _anonymous(request: Request, policy_id: str | None) -> Identity:
    if policy_id not in (None, "", ANONYMOUS):
        raise Bad(S.BadIdentityTokenInvalid, f"the policy id {policy_id!r} is not offered")
    role = request.server.accounts.anonymous
    if role is None:
        raise Bad(S.BadIdentityTokenRejected, "anonymous clients are refused")
    return Identity("", role, "anonymous", request.connection.channel.mode)


def _user(request: Request, token: Any, challenge: Challenge) -> Identity:
    server, channel = request.server, request.connection.channel
    if not token.UserName or not server.accounts:
        raise Bad(S.BadIdentityTokenInvalid, "no user name is offered")
    raw = bytes(token.Password or b"")
    if token.PolicyId == PLAIN_USER_NAME and server.plain_passwords and not token.EncryptionAlgorithm:
        password = raw
    elif token.PolicyId != USER_NAME:
        raise Bad(S.BadIdentityTokenInvalid, f"the policy id {token.PolicyId!r} is not offered")
    elif token.EncryptionAlgorithm != POLICIES[secret_policy(channel.policy_uri)].AsymmetricEncryptionURI:
        raise Bad(S.BadIdentityTokenInvalid, "the password is not encrypted as its policy says")
    else:
        password = _open_secret(challenge, token.EncryptionAlgorithm, raw)
    identity = server.accounts.check(token.UserName, password)
    if identity is None:
        raise Bad(S.BadUserAccessDenied, f"user name or password of {token.UserName!r} is wrong")
    return replace(identity, mode=channel.mode)


def _certified(request: Request, token: Any, signature: Any, challenge: Challenge) -> Identity:
    """The holder of a certificate that the administrator trusts (OPC 10000-4 §7.40.5)."""
    server, channel = request.server, request.connection.channel
    role = server.accounts.certified
    if role is None or token.PolicyId != CERTIFICATE or challenge.own is None:
        raise Bad(S.BadIdentityTokenInvalid, "no user certificate is offered")
    try:
        chain = read_chain(bytes(token.CertificateData or b"")[:_MAX_CHAIN])
    except ValueError as error:
        raise Bad(S.BadIdentityTokenInvalid, "the user's certificate cannot be read") from error
    policy = POLICIES[secret_policy(channel.policy_uri)]
    try:
        key: Any = chain[0].public_key()
        if key.key_size > _MAX_KEY or signature.Algorithm != policy.AsymmetricSignatureURI:
            raise ValueError(signature.Algorithm)
        verifier = policy(
            chain[0], challenge.own.certificate, challenge.own.key, _SIGNED
        ).asymmetric_cryptography.Verifier
        verifier.verify(challenge.own.der + challenge.nonce, bytes(signature.Signature or b""))
    except Exception as error:  # a wrong key or signature fails in many types; all mean the same
        raise Bad(S.BadUserSignatureInvalid, "the signature does not prove the user's certificate") from error
    code = server.pki.judge_user(chain)
    if code:
        request.connection.tell_certificate(chain[0], "user", "rejected", code)
        raise Bad(S.BadIdentityTokenRejected, f"the user's certificate: {name_of(code)}")
    return Identity(common_name(chain[0]), role, "x509", channel.mode, thumbprint_of(chain[0]), tuple(chain))


def _open_secret(challenge: Challenge, algorithm: str, secret: bytes) -> bytes:
    """The password of a legacy encrypted secret: length, password, server nonce (OPC 10000-4 §7.40.2.2).

    The nonce inside keeps a recorded token from being played again.
    """
    assert challenge.own is not None
    key, nonce = challenge.own.key, challenge.nonce
    block, decrypt = key.key_size // 8, _DECRYPT[algorithm]
    try:
        if len(secret) > _MAX_SECRET:
            raise ValueError("too long")
        clear = b"".join(bytes(decrypt(key, secret[at : at + block])) for at in range(0, len(secret), block))
        length = struct.unpack_from("<I", clear)[0]
    except (ValueError, struct.error) as error:
        raise Bad(S.BadIdentityTokenInvalid, "the password cannot be decrypted") from error
    body = clear[4 : 4 + length]
    cut = length - len(nonce)
    if len(body) != length or cut < 0 or not hmac.compare_digest(body[cut:], nonce):
        raise Bad(S.BadIdentityTokenInvalid, "the password was not encrypted for this session")
    return body[:cut]
