"""How an OPC UA client proves itself: the channel's security, the certificates, the user."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asyncua import Client, ua
from asyncua.crypto import security_policies, uacrypto

from labsim.probe.error import ProbeError
from labsim.probe.identity import Identity, own_identity, uri_of
from labsim.probe.target import Target

POLICIES = {
    "Basic256Sha256": security_policies.SecurityPolicyBasic256Sha256,
    "Aes128_Sha256_RsaOaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "Aes256_Sha256_RsaPss": security_policies.SecurityPolicyAes256Sha256RsaPss,
}
"""Policies that are spoken here beside None, the strongest last."""
MODES = {"Sign": ua.MessageSecurityMode.Sign, "SignAndEncrypt": ua.MessageSecurityMode.SignAndEncrypt}


@dataclass(frozen=True, slots=True)
class Access:
    """How a client proves itself.

    Attributes:
        policy: ``None``, one of `POLICIES`, or ``best``: the strongest that the server offers.
        mode: One of `MODES`; without meaning when the policy is None.
        identity: Our certificate and key; our own by default.
        server: The only server certificate that is accepted; None accepts any.
        user_certificate: Certificate and key of a user who proves himself by them.
        plain_password: Send a password even where nothing encrypts it.
        pki: Folder of our own identity.
    """

    policy: str = "None"
    mode: str = "SignAndEncrypt"
    identity: tuple[Path, Path] | None = None
    server: Path | None = None
    user_certificate: tuple[Path, Path] | None = None
    plain_password: bool = False
    pki: Path | None = None


async def connect(client: Client, target: Target, access: Access) -> None:
    """Connect a client and open its session as the access says.

    Raises:
        ProbeError: the server does not offer what was asked for, or is another one, or the password would be readable.
    """
    offered: list[ua.EndpointDescription] = []
    if access.policy != "None" or target.password:
        offered = await client.connect_and_get_server_endpoints()
    if access.policy != "None":
        await _secure(client, target, access, offered)
    if target.user:
        client.set_user(target.user)
        client.set_password(target.password)
        if target.password and not access.plain_password:
            _guard_password(client, target, offered)
    if access.user_certificate is not None:
        certificate, key = access.user_certificate
        await client.load_client_certificate(str(certificate))
        await client.load_private_key(key)
    await client.connect()


async def _secure(client: Client, target: Target, access: Access, offered: list[ua.EndpointDescription]) -> None:
    ours = Identity(uri_of(access.identity[0]), *access.identity) if access.identity else own_identity(access.pki)
    names = list(POLICIES)[::-1] if access.policy == "best" else [access.policy]
    for name in names:
        policy = POLICIES[name]
        for one in offered:
            if (one.SecurityPolicyUri, one.SecurityMode) == (policy.URI, MODES[access.mode]):
                client.application_uri = ours.uri
                theirs = uacrypto.x509_from_der(one.ServerCertificate)
                if access.server is not None and theirs != await uacrypto.load_certificate(access.server):
                    raise ProbeError(f"{target} shows another certificate than {access.server}.")
                await client.set_security(
                    policy,
                    ours.certificate,
                    ours.key,
                    server_certificate=uacrypto.CertProperties(uacrypto.der_from_x509(theirs), "DER"),
                    mode=MODES[access.mode],
                )
                return
    raise ProbeError(f"{target} does not offer {access.policy} with {access.mode}. Ask it for its endpoints.")


def _guard_password(client: Client, target: Target, offered: list[ua.EndpointDescription]) -> None:
    """Refuse to show a password to whoever listens."""
    chosen = client.security_policy
    tokens = [
        token
        for one in offered
        if one.SecurityPolicyUri == chosen.URI and one.SecurityMode == chosen.Mode
        for token in one.UserIdentityTokens or []
        if token.TokenType == ua.UserTokenType.UserName
    ]
    none = security_policies.SecurityPolicyNone.URI
    encrypted = tokens and (tokens[0].SecurityPolicyUri or chosen.URI) != none
    if tokens and not encrypted and chosen.Mode != ua.MessageSecurityMode.SignAndEncrypt:
        raise ProbeError(f"{target} would get the password unencrypted. Choose --security best, or --plain-password.")


def thumbprint(certificate: bytes) -> str:
    """The SHA-1 by which tools name a certificate; empty for none."""
    return hashlib.sha1(certificate, usedforsecurity=False).hexdigest() if certificate else ""


def stated(certificate: bytes) -> dict[str, Any]:
    """What an application's certificate says of itself: ``uris``, ``valid_from`` and ``valid_until`` (UTC), ``key_bits``.

    Nothing of it is judged; empty for no certificate and for one that cannot be read.
    """
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        loaded = x509.load_der_x509_certificate(certificate)
        bits = getattr(loaded.public_key(), "key_size", 0)
        names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    except x509.ExtensionNotFound:
        uris = []
    except (
        ValueError,
        UnsupportedAlgorithm,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ):
        return {}
    return {
        "uris": uris,
        "valid_from": loaded.not_valid_before_utc.isoformat().replace("+00:00", "Z"),
        "valid_until": loaded.not_valid_after_utc.isoformat().replace("+00:00", "Z"),
        "key_bits": bits,
    }
