"""Certificates are judged by OPC 10000-4 §6.1.3: every step has its code, and steps come in order."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from labsim.endpoints.opcua.core.certificate import (
    application_uri,
    common_name,
    make_pair,
    read_certificates,
    read_chain,
)
from labsim.endpoints.opcua.core.judgement import SUPPRESSIBLE, TrustList, judge_alone, judge_chain, told
from labsim.endpoints.opcua.core.status import GOOD, S

DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC)
SIGNED_WITH_SHA1 = (
    "MIIDHTCCAgWgAwIBAgIUXZ5p1bgmQETE5bC90ZUWhX90IdowDQYJKoZIhvcNAQEFBQAwDzENMAsGA1UEAwwEd2VhazAgFw0yNjExMjQxMjQyNT"
    "laGA8yMTI2MTAzMTEyNDI1OVowDzENMAsGA1UEAwwEd2VhazCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAKkh+zLVrOKbfxIc34Dd"
    "onBp8XEUNwX3v29go87kIjOA0bihiLwM53FR4BmLAaTSra4k0UAORwzQ7DuPcZkEdap+YqfrDQpKFp+LB0ZhUiKgyZaOpe8v9WAckOX9Sw0eBB"
    "tjc01XqdXPIh5PoFQQxQn+3CClvKKYafgHcAa9OCKOfqLqU+gPigKsh4/jLBSpHnQnO+UyDDEt0i5kjrrX8yAwaPG+88Wb1F8qAY8mxiba6awm"
    "fIb3pF6bqFXEbYDYXhniUCGYkx9oYIOLZ6yw37UOPdtcCdNpBn9fdxg4B5wo+Lk0SjxoyP9iCMziRtPTdLQANVGoy8Zc4SpetMmToWECAwEAAa"
    "NvMG0wHQYDVR0OBBYEFIQ+DQSq/1mLA5I4LtDwFGbWHobYMB8GA1UdIwQYMBaAFIQ+DQSq/1mLA5I4LtDwFGbWHobYMA8GA1UdEwEB/wQFMAMB"
    "Af8wGgYDVR0RBBMwEYYPdXJuOnRlc3Q6Y2xpZW50MA0GCSqGSIb3DQEBBQUAA4IBAQBw7Q9kxNv9VvdXyAII1sZuHeDJ9xM5GR7I5tbx6N6jzE"
    "r8WCepRlQaC3Id3AvptG71Ws2XK4B4m50xIEwZ8DJsEOslA4ieZaZyVIMhhoVRQOEgVPgieOBXXN7Ue9zLa3S/CDOPPIMkgDVAHS0bDMCQRrg4"
    "XJ69MaddUvVC855OSVYp5XsfPOmA9sh0FmAwzfV3e0uykGsI2IRVmeX3dT68EbnQTcubOPUS3Rh8TNjpJgC0p+NF+3Fn2MEdChGfsjRaHFp9FG"
    "GGlnt9jGq3yZ9dl86L8GBz/gAGY5+SeamTGQx9XBDPtIul/TNO0liCUTSrfAOZefAxw8PCvtNiPfhA"
)
"""Self-signed, good for a hundred years; the library that tests use does not sign with SHA-1 any more."""


def judged(certificate: Any, trust: TrustList, *further: Any, suppressed: Any = ()) -> int:
    """The code."""
    return judge_chain([certificate, *further], trust, NOW, suppressed)


def test_a_listed_certificate_is_good(alone: Any) -> None:
    """A self-signed certificate is trusted when it is listed, and only then."""
    assert judged(alone.certificate, TrustList([alone.certificate])) == GOOD
    assert judged(alone.certificate, TrustList()) == S.BadCertificateUntrusted
    assert judged(alone.certificate, TrustList(issuers=[alone.certificate])) == S.BadCertificateUntrusted


def test_an_authority_that_is_trusted_vouches(root: Any, middle: Any) -> None:
    """A chain is trusted when any of its certificates is; issuers only help to build it."""
    leaf = middle.issue("client").certificate
    crls = [root.crl(), middle.crl()]
    for trusted in (root, middle):
        other = middle if trusted is root else root
        trust = TrustList([trusted.certificate], [other.certificate], crls)
        assert judged(leaf, trust) == GOOD
    assert judged(leaf, TrustList([leaf], [root.certificate, middle.certificate], crls)) == GOOD
    assert judged(leaf, TrustList((), [root.certificate, middle.certificate], crls)) == S.BadCertificateUntrusted


def test_a_chain_may_be_sent(root: Any, middle: Any) -> None:
    """What the client sends beside its certificate builds the chain, but is not trusted for it."""
    leaf = middle.issue("client").certificate
    crls = [root.crl(), middle.crl()]
    assert judged(leaf, TrustList([root.certificate], (), crls), middle.certificate) == GOOD
    sent = (middle.certificate, root.certificate)
    assert judged(leaf, TrustList((), (), crls), *sent) == S.BadCertificateUntrusted


def test_a_chain_with_a_gap(root: Any, middle: Any) -> None:
    """Step 2: an issuer that nobody has."""
    leaf = middle.issue("client").certificate
    assert judged(leaf, TrustList([leaf])) == S.BadCertificateChainIncomplete
    assert judged(leaf, TrustList([leaf], [middle.certificate])) == S.BadCertificateChainIncomplete


def test_a_signature_of_somebody_else(root: Any, new_key: Any) -> None:
    """Step 3: the issuer's name without the issuer's signature; for a self-signed one too."""
    forged = root.issue("client", signer=new_key("stranger")).certificate
    assert judged(forged, TrustList([root.certificate, forged])) == S.BadCertificateInvalid


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"begin": DAY, "end": 2 * DAY}, S.BadCertificateTimeInvalid),
        ({"begin": -2 * DAY, "end": -DAY}, S.BadCertificateTimeInvalid),
        ({"usage": "encrypt"}, S.BadCertificateUseNotAllowed),
        ({"usage": "sign"}, S.BadCertificateUseNotAllowed),
        ({"purpose": ExtendedKeyUsageOID.SERVER_AUTH}, S.BadCertificateUseNotAllowed),
        ({"key": "short"}, S.BadCertificatePolicyCheckFailed),
    ],
)
def test_one_thing_wrong(root: Any, new_key: Any, wrong: dict[str, Any], code: int) -> None:
    """Steps 4, 6 and 9 on the client's own certificate; each can be suppressed, the others then still count."""
    if "key" in wrong:
        wrong = {"key": new_key("short", 1024)}
    leaf = root.issue("client", **wrong).certificate
    trust = TrustList([root.certificate], (), [root.crl()])
    assert judged(leaf, trust) == code
    assert judged(leaf, trust, suppressed=[code]) == GOOD
    assert judged(leaf, TrustList((), [root.certificate], [root.crl()]), suppressed=[code]) == S.BadCertificateUntrusted


def test_a_weak_signature() -> None:
    """SHA-1 lets nobody in: a library that still verifies it fails step 4 (OPC 10000-7), another one step 3."""
    weak = x509.load_der_x509_certificate(base64.b64decode(SIGNED_WITH_SHA1))
    assert judged(weak, TrustList([weak])) in (S.BadCertificateInvalid, S.BadCertificatePolicyCheckFailed)


def test_one_thing_wrong_with_an_authority(new_authority: Any, root: Any, new_key: Any) -> None:
    """Steps 6 and 9 on issuers have codes of their own."""
    old = new_authority("Old CA", begin=-3 * DAY, end=-DAY)
    leaf = old.issue("client").certificate
    trust = TrustList([old.certificate], (), [old.crl()])
    assert judged(leaf, trust) == S.BadCertificateIssuerTimeInvalid
    assert judged(leaf, trust, suppressed=[S.BadCertificateIssuerTimeInvalid]) == GOOD

    application = root.issue("no authority", key=new_key("no authority"))
    forger = new_authority.__new__(new_authority)
    forger.pair = application
    leaf = forger.issue("client").certificate
    trust = TrustList([root.certificate, application.certificate], (), [root.crl(), forger.crl()])
    assert judged(leaf, trust) == S.BadCertificateIssuerUseNotAllowed


def test_revocation(root: Any, middle: Any) -> None:
    """Steps 10 and 11: a list must be there, in force and signed; whoever stands in it is out and nothing helps."""
    leaf = middle.issue("client").certificate
    both = [root.certificate, middle.certificate]
    assert judged(leaf, TrustList(both)) == S.BadCertificateRevocationUnknown
    assert judged(leaf, TrustList(both, (), [middle.crl()])) == S.BadCertificateIssuerRevocationUnknown
    assert judged(leaf, TrustList(both, (), [root.crl(), middle.crl(end=-DAY)])) == S.BadCertificateRevocationUnknown
    assert judged(leaf, TrustList(both, (), [root.crl()], [middle.crl()])) == GOOD
    unknown = [S.BadCertificateRevocationUnknown, S.BadCertificateIssuerRevocationUnknown]
    assert judged(leaf, TrustList(both), suppressed=unknown) == GOOD
    revoked = TrustList(both, (), [root.crl(), middle.crl(leaf)])
    assert judged(leaf, revoked) == S.BadCertificateRevoked
    assert judged(leaf, revoked, suppressed=[S.BadCertificateRevoked]) == S.BadCertificateRevoked
    above = TrustList(both, (), [root.crl(middle.certificate), middle.crl()])
    assert judged(leaf, above) == S.BadCertificateIssuerRevoked


def test_a_revocation_list_nobody_signed(root: Any, new_key: Any) -> None:
    """A list that carries the authority's name but not its signature does not count."""
    stranger = root.__class__.__new__(root.__class__)
    stranger.pair = type(root.pair)(root.certificate, new_key("stranger"))
    leaf = root.issue("client").certificate
    assert judged(leaf, TrustList([root.certificate], (), [stranger.crl()])) == S.BadCertificateRevocationUnknown


def test_the_first_step_that_fails_is_told(root: Any) -> None:
    """Untrusted comes before expired, expired before usage, usage before revocation."""
    leaf = root.issue("client", begin=-3 * DAY, end=-DAY, usage="encrypt").certificate
    order = [S.BadCertificateTimeInvalid, S.BadCertificateUseNotAllowed, S.BadCertificateRevocationUnknown]
    assert judged(leaf, TrustList((), [root.certificate])) == S.BadCertificateUntrusted
    for count, code in enumerate(order):
        assert judged(leaf, TrustList([root.certificate]), suppressed=order[:count]) == code


def test_a_stranger_learns_little() -> None:
    """Until a client is trusted it is told BadSecurityChecksFailed; what an administrator can suppress is told."""
    assert told(S.BadCertificateUntrusted) == told(S.BadCertificateRevoked) == S.BadSecurityChecksFailed
    assert told(S.BadCertificateTimeInvalid) == S.BadCertificateTimeInvalid
    assert S.BadCertificateUntrusted not in SUPPRESSIBLE


@pytest.mark.parametrize(
    ("flaw", "code"),
    [
        ("expired", S.BadCertificateTimeInvalid),
        ("not-yet-valid", S.BadCertificateTimeInvalid),
        ("short-key", S.BadCertificatePolicyCheckFailed),
    ],
)
def test_flaws_of_our_own(flaw: Any, code: int) -> None:
    """What a scenario makes wrong with the server's certificate is what a client finds wrong."""
    assert judge_alone(make_pair("urn:x", "x", flaw=flaw).certificate, NOW) == code


@given(st.binary(max_size=200))
def test_rubbish_is_no_chain(data: bytes) -> None:
    """Bytes that are no certificates raise ValueError and nothing else."""
    for read in (read_chain, read_certificates):
        with pytest.raises(ValueError, match=r".*"):
            read(data)


@settings(deadline=None)
@given(st.data())
def test_a_damaged_chain(data: Any) -> None:
    """A chain with one byte changed or its end cut off is read or raises ValueError, and nothing else."""
    der = _damaged_source()
    at = data.draw(st.integers(0, len(der) - 1))
    damaged = der[:at] + bytes((data.draw(st.integers(0, 255)),)) + der[at + 1 : data.draw(st.integers(at, len(der)))]
    try:
        found = read_chain(damaged)
    except ValueError:
        return
    for one in found:
        assert isinstance(judge_chain([one], TrustList([one]), NOW), int)
        assert isinstance(judge_alone(one, NOW), int)
        assert isinstance(common_name(one), str)
        application_uri(one)
        one.subject.rfc4514_string()


_made: list[bytes] = []


def _damaged_source() -> bytes:
    if not _made:
        _made.append(make_pair("urn:x", "x").der * 2)
    return _made[0]
