"""The certificate check: every step of the way counts, in order."""

from __future__ import annotations

from grader_bench import Bench

from grader.outcome import State

MINE, OTHER = "ab" * 20, "cd" * 20


def told(bench: Bench, t: float, action: str, thumb: str = MINE, of: str = "client") -> None:
    """What became of a certificate."""
    detail = {"thumbprint": thumb, "of": of, "action": action}
    if action == "rejected":
        detail["reason"] = "BadCertificateUntrusted"
    bench.event(t, "opcua", "certificate", detail=detail)


def session(bench: Bench, t: float, thumb: str = MINE, mode: str = "SignAndEncrypt", user: str = "") -> None:
    """An activated session."""
    bench.event(t, "opcua", "session", thumb=thumb, user=user, detail={"mode": mode})


def test_the_whole_way(bench: Bench) -> None:
    """Refused, trusted, used: passed, with the thumbprint and the three events."""
    told(bench, 1, "rejected")
    told(bench, 2, "trusted")
    session(bench, 3)
    outcome = bench.judge("opcua.certificate")
    assert outcome.state is State.PASSED
    assert (outcome.actual, outcome.evidence) == (MINE, (1, 2, 3))


def test_steps_of_different_certificates(bench: Bench) -> None:
    """One certificate has to go the whole way; a session with another, or before it was trusted, does not count."""
    session(bench, 0)
    told(bench, 1, "rejected")
    told(bench, 2, "rejected", OTHER)
    told(bench, 3, "trusted", OTHER)
    session(bench, 4, MINE)
    outcome = bench.judge("opcua.certificate")
    assert outcome.state is State.FAILED
    assert outcome.actual == OTHER
    assert "no session as asked" in outcome.reason["en"]


def test_refused_and_left_there(bench: Bench) -> None:
    """The reason is told, and where the certificate lies."""
    told(bench, 1, "rejected")
    outcome = bench.judge("opcua.certificate")
    assert outcome.state is State.FAILED
    assert "BadCertificateUntrusted" in outcome.reason["en"]
    assert outcome.help is not None
    assert "pki/rejected" in outcome.help["en"]


def test_refused_again(bench: Bench) -> None:
    """What was taken off the list is not in force."""
    told(bench, 1, "rejected")
    told(bench, 2, "trusted")
    session(bench, 3)
    told(bench, 4, "rejected")
    assert "refused again" in bench.judge("opcua.certificate").reason["en"]


def test_let_in_again(bench: Bench) -> None:
    """A session after the certificate was let in again is in force."""
    for t, action in ((1, "rejected"), (2, "trusted"), (4, "rejected"), (5, "trusted")):
        told(bench, t, action)
        if action == "trusted":
            session(bench, t + 0.5)
    assert bench.judge("opcua.certificate").state is State.PASSED


def test_it_must_have_been_refused_unless_not_asked(bench: Bench) -> None:
    """Whoever put the certificate on the list beforehand has shown less."""
    told(bench, 1, "trusted")
    session(bench, 2, user="operator")
    assert "without having been refused" in bench.judge("opcua.certificate").reason["en"]
    assert bench.judge("opcua.certificate", refused_first=False).state is State.PASSED
    assert bench.judge("opcua.certificate", refused_first=False, user="operator").state is State.PASSED
    assert bench.judge("opcua.certificate", refused_first=False, user="somebody").state is State.FAILED


def test_without_security_there_is_no_certificate(bench: Bench) -> None:
    """A session on None and a user's certificate are not the client's certificate."""
    session(bench, 1, "", "None")
    told(bench, 2, "rejected", of="user")
    outcome = bench.judge("opcua.certificate")
    assert outcome.state is State.FAILED
    assert "No client" in outcome.reason["en"]
