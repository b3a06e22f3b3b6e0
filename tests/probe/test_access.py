"""What a server's certificate says, whatever a network sends for one."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labsim.endpoints.opcua.core.certificate import make_key, make_pair
from labsim.probe.access import stated

PAIR = make_pair("urn:test:stated", "stated", key=make_key())


def test_a_certificate_is_read() -> None:
    """Its URI, its dates in UTC, its key."""
    said = stated(PAIR.der)
    assert said["uris"] == ["urn:test:stated"]
    assert said["key_bits"] == 2048
    assert said["valid_from"] == PAIR.certificate.not_valid_before_utc.isoformat().replace("+00:00", "Z")
    assert said["valid_until"] > said["valid_from"]


@pytest.mark.parametrize("flaw", ["expired", "not-yet-valid", "wrong-uri"])
def test_a_flaw_is_told_and_not_judged(flaw: str) -> None:
    """A certificate that is no good is read like any other."""
    pair = make_pair("urn:test:stated", "stated", flaw=flaw, key=PAIR.key)  # type: ignore[arg-type] # one of its literals
    assert stated(pair.der) != {}
    assert (stated(pair.der)["uris"] == ["urn:test:stated"]) == (flaw != "wrong-uri")


@given(st.binary(max_size=2000))
def test_nothing_readable_says_nothing(data: bytes) -> None:
    """Bytes that are no certificate are nothing, and no error."""
    assert stated(data) == {}


@given(st.integers(0, len(PAIR.der) - 1), st.integers(1, 255))
@example(PAIR.der.index(bytes((2, 1, 2))) + 2, 1)  # a version that X.509 does not have
def test_a_damaged_certificate_is_no_error(at: int, change: int) -> None:
    """One byte of a good one is another: it is read, or it is nothing."""
    damaged = bytearray(PAIR.der)
    damaged[at] ^= change
    assert set(stated(bytes(damaged))) in (set(), {"uris", "valid_from", "valid_until", "key_bits"})
