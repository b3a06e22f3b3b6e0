"""Security policies and modes the core speaks (OPC 10000-7), from none to strongest."""

from __future__ import annotations

from typing import Any, TypeAlias

from asyncua.crypto import security_policies as policies

NONE = str(policies.SecurityPolicyNone.URI)
BASIC256SHA256 = str(policies.SecurityPolicyBasic256Sha256.URI)
MODE_NONE, MODE_SIGN, MODE_SIGN_AND_ENCRYPT = 1, 2, 3
MODE_NAMES = {MODE_NONE: "None", MODE_SIGN: "Sign", MODE_SIGN_AND_ENCRYPT: "SignAndEncrypt"}

POLICIES: dict[str, Any] = {
    str(policy.URI): policy
    for policy in (
        policies.SecurityPolicyNone,
        policies.SecurityPolicyBasic256Sha256,
        policies.SecurityPolicyAes128Sha256RsaOaep,
        policies.SecurityPolicyAes256Sha256RsaPss,
    )
}
"""asyncua's class by URI."""

Security: TypeAlias = tuple[str, int]
"""A policy's URI and a message security mode."""

ALL_SECURITY: tuple[Security, ...] = (
    (NONE, MODE_NONE),
    *((uri, mode) for uri in POLICIES if uri != NONE for mode in (MODE_SIGN, MODE_SIGN_AND_ENCRYPT)),
)


def short_name(uri: str) -> str:
    """``Basic256Sha256``: the last part of a policy's URI."""
    return uri.rpartition("#")[2]


def security_level(security: Security) -> int:
    """SecurityLevel of an EndpointDescription: 0 for None, then stronger is higher (OPC 10000-4 §7.14)."""
    uri, mode = security
    return 0 if uri == NONE else list(POLICIES).index(uri) * 10 + mode * 30


def secret_policy(channel_policy: str) -> str:
    """The policy that protects user secrets: the channel's own, or Basic256Sha256 where it has none (OPC 10000-4 §7.40)."""
    return channel_policy if channel_policy != NONE else BASIC256SHA256
