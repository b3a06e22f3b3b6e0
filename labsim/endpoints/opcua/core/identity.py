"""User identity tokens (OPC 10000-4 §7.41) and the secrets inside them."""

from __future__ import annotations

import hmac
import struct
from typing import Any

from asyncua import ua
from asyncua.crypto import uacrypto

from labsim.endpoints.opcua.core.discovery import ANONYMOUS, PLAIN_USER_NAME, USER_NAME
from labsim.endpoints.opcua.core.policy import POLICIES, secret_policy
from labsim.endpoints.opcua.core.request import Request
from labsim.endpoints.opcua.core.status import Bad, S
from labsim.endpoints.opcua.core.users import Identity

_DECRYPT = {
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep": uacrypto.decrypt_rsa_oaep,
    "http://opcfoundation.org/UA/security/rsa-oaep-sha2-256": uacrypto.decrypt_rsa_oaep_sha256,
}
_MAX_SECRET = 4096


def identify(request: Request, token: Any, nonce: bytes) -> Identity:
    """Who a token speaks for; ``nonce`` is the session's last server nonce.

    Raises:
        Bad: BadIdentityTokenInvalid, BadIdentityTokenRejected, or BadUserAccessDenied for a wrong password.
    """
    if token is None or (isinstance(token, ua.ExtensionObject) and token.Body is None):
        return _anonymous(request, None)
    if isinstance(token, ua.AnonymousIdentityToken):
        return _anonymous(request, token.PolicyId)
    if isinstance(token, ua.UserNameIdentityToken):
        return _user(request, token, nonce)
    raise Bad(S.BadIdentityTokenInvalid, "no kind of user token that is offered")


def _anonymous(request: Request, policy_id: str | None) -> Identity:
    if policy_id not in (None, "", ANONYMOUS):
        raise Bad(S.BadIdentityTokenInvalid, f"the policy id {policy_id!r} is not offered")
    role = request.server.accounts.anonymous
    if role is None:
        raise Bad(S.BadIdentityTokenRejected, "anonymous clients are refused")
    return Identity("", role, "anonymous")


def _user(request: Request, token: Any, nonce: bytes) -> Identity:
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
        password = _open_secret(request, token.EncryptionAlgorithm, raw, nonce)
    identity = server.accounts.check(token.UserName, password)
    if identity is None:
        raise Bad(S.BadUserAccessDenied, f"user name or password of {token.UserName!r} is wrong")
    return identity


def _open_secret(request: Request, algorithm: str, secret: bytes, nonce: bytes) -> bytes:
    """The password of a legacy encrypted secret: length, password, server nonce (OPC 10000-4 §7.41.2.2).

    The nonce inside keeps a recorded token from being played again.
    """
    key = request.server.pki.own.key
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
