"""Is a certificate trusted? The steps of OPC 10000-4 §6.1.3 in their order; each has its own code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from labsim.endpoints.opcua.core.status import GOOD, Bad, S

SUPPRESSIBLE = frozenset(
    int(code)
    for code in (
        S.BadCertificatePolicyCheckFailed, S.BadCertificateTimeInvalid, S.BadCertificateIssuerTimeInvalid,
        S.BadCertificateUseNotAllowed, S.BadCertificateIssuerUseNotAllowed, S.BadCertificateRevocationUnknown,
        S.BadCertificateIssuerRevocationUnknown,
    )
)  # fmt: skip
"""Errors an administrator may tell the server to overlook."""

_HIDDEN = frozenset(
    int(code)
    for code in (
        S.BadCertificateInvalid, S.BadCertificateChainIncomplete, S.BadCertificatePolicyCheckFailed,
        S.BadCertificateUntrusted, S.BadCertificateRevoked, S.BadCertificateIssuerRevoked,
    )
)  # fmt: skip
_KEY_BITS = range(2048, 4096 + 1)
_WEAK_HASHES = ("md5", "sha1")
_MAX_DEPTH = 10


@dataclass(frozen=True)
class TrustList:
    """Whom a server trusts (OPC 10000-12 §7.8.2): certificates and authorities with their revocation lists.

    ``issuers`` only help to build a chain: who was issued by one of them is not trusted for that.
    """

    trusted: Sequence[x509.Certificate] = ()
    issuers: Sequence[x509.Certificate] = ()
    trusted_crls: Sequence[x509.CertificateRevocationList] = ()
    issuer_crls: Sequence[x509.CertificateRevocationList] = ()


def told(code: int) -> int:
    """What a stranger is told of a judgement: nothing exact before he is trusted (OPC 10000-4 §6.1.3)."""
    return int(S.BadSecurityChecksFailed) if code in _HIDDEN else code


def judge_alone(certificate: x509.Certificate, now: dt.datetime, suppressed: Collection[int] = ()) -> int:
    """Good, or what is wrong with a certificate whoever issued it: key length and validity."""
    return _first_error(_alone(certificate, now), suppressed)


def judge_chain(
    chain: Sequence[x509.Certificate], trust: TrustList, now: dt.datetime, suppressed: Collection[int] = ()
) -> int:
    """Good, or the code of the first step that fails.

    Args:
        chain: What was sent, the judged certificate first.
        trust: Whom the server trusts.
        now: Present time, UTC.
        suppressed: Codes to overlook; only those of `SUPPRESSIBLE` can be.
    """
    try:
        path = _build(chain, trust)
        return _first_error(_steps(path, trust, now), suppressed)
    except Bad as error:
        return error.code
    except (ValueError, UnsupportedAlgorithm):  # an extension or key that cannot be read
        return int(S.BadCertificateInvalid)


def _first_error(errors: Iterator[int], suppressed: Collection[int]) -> int:
    return next((int(e) for e in errors if e not in SUPPRESSIBLE or e not in suppressed), GOOD)


def _build(chain: Sequence[x509.Certificate], trust: TrustList) -> list[x509.Certificate]:
    """The chain up to an authority that signed itself, every signature proven."""
    path = [chain[0]]
    known = [*chain[1:], *trust.trusted, *trust.issuers]
    while path[-1].subject != path[-1].issuer:
        candidates = [one for one in known if one.subject == path[-1].issuer]
        if not candidates or len(path) == _MAX_DEPTH:
            raise Bad(S.BadCertificateChainIncomplete)
        issuer = next((one for one in candidates if _issued(path[-1], one)), None)
        if issuer is None:
            raise Bad(S.BadCertificateInvalid, "the signature is not the issuer's")
        path.append(issuer)
    if not _issued(path[-1], path[-1]):
        raise Bad(S.BadCertificateInvalid, "the signature is not its own")
    return path


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _alone(certificate: x509.Certificate, now: dt.datetime) -> Iterator[int]:
    if not _strong(certificate):
        yield S.BadCertificatePolicyCheckFailed
    if not _in_time(certificate, now):
        yield S.BadCertificateTimeInvalid


def _strong(certificate: x509.Certificate) -> bool:
    """Key length of the policies this core has (OPC 10000-7)."""
    key = certificate.public_key()
    return isinstance(key, rsa.RSAPublicKey) and key.key_size in _KEY_BITS


def _in_time(certificate: x509.Certificate, now: dt.datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _steps(path: Sequence[x509.Certificate], trust: TrustList, now: dt.datetime) -> Iterator[int]:
    """The errors of OPC 10000-4 §6.1.3 from the security policy check on, in its order."""
    leaf, issuers = path[0], path[1:]
    for one in path:
        algorithm = one.signature_hash_algorithm
        if not _strong(one) or algorithm is None or algorithm.name in _WEAK_HASHES:
            yield S.BadCertificatePolicyCheckFailed
    if not any(one in trust.trusted for one in path):
        yield S.BadCertificateUntrusted
    if not _in_time(leaf, now):
        yield S.BadCertificateTimeInvalid
    if not all(_in_time(one, now) for one in issuers):
        yield S.BadCertificateIssuerTimeInvalid
    if not _usable(leaf):
        yield S.BadCertificateUseNotAllowed
    if not all(_may_issue(one, depth) for depth, one in enumerate(issuers)):
        yield S.BadCertificateIssuerUseNotAllowed
    lists = [_revocations(issuer, trust, now) for issuer in issuers]
    revocable = list(zip(path, lists, strict=False))  # the root, which nobody can revoke, is left out
    for depth, (_, found) in enumerate(revocable):
        if not found:
            yield S.BadCertificateIssuerRevocationUnknown if depth else S.BadCertificateRevocationUnknown
    for depth, (one, found) in enumerate(revocable):
        if any(crl.get_revoked_certificate_by_serial_number(one.serial_number) is not None for crl in found):
            yield S.BadCertificateIssuerRevoked if depth else S.BadCertificateRevoked


def _usable(certificate: x509.Certificate) -> bool:
    """Whether it may sign and take secrets as a client (OPC 10000-6 §6.2.2); what it does not say is allowed."""
    extensions = certificate.extensions
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        if not (usage.digital_signature and (usage.key_encipherment or usage.data_encipherment)):
            return False
    except x509.ExtensionNotFound:
        pass  # RFC 5280 §4.2.1.3: without it the key may be used for everything
    try:
        purposes = list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return True
    return bool({ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(purposes))


def _may_issue(certificate: x509.Certificate, below: int) -> bool:
    """Whether it is an authority that may have ``below`` other authorities under it."""
    extensions = certificate.extensions
    try:
        basic = extensions.get_extension_for_class(x509.BasicConstraints).value
        if not basic.ca or (basic.path_length is not None and basic.path_length < below):
            return False
        return extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound as missing:
        return missing.oid == x509.KeyUsage.oid  # an authority has to say so, its key usage not


def _revocations(issuer: x509.Certificate, trust: TrustList, now: dt.datetime) -> list[x509.CertificateRevocationList]:
    """The revocation lists of an authority that it signed and that are in force."""
    found = []
    for crl in (*trust.trusted_crls, *trust.issuer_crls):
        ends = crl.next_update_utc
        current = crl.last_update_utc <= now and (ends is None or now <= ends)
        if crl.issuer == issuer.subject and current and _signed(crl, issuer):
            found.append(crl)
    return found


def _signed(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    key = issuer.public_key()
    try:
        return isinstance(key, rsa.RSAPublicKey) and crl.is_signature_valid(key)
    except (TypeError, ValueError):
        return False
