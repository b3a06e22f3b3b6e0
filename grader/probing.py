"""The host's own clients, probes and rogues: which probes a scenario wants, and evidence without what such clients did."""

from __future__ import annotations

from grader.checks.probe import Wanted, wanted_of
from grader.cut import Without
from labsim.evidence.evidence import Evidence
from labsim.scenario.model import Scenario


def wanted_probes(scenario: Scenario) -> list[Wanted]:
    """Every probe of a scenario's checks and penalties."""
    checks = [(task.id, spec.check, spec.params) for task in scenario.tasks for spec in task.checks]
    return list(wanted_of([*checks, *(("", penalty.check, penalty.params) for penalty in scenario.penalties)]))


def without_probes(evidence: Evidence) -> Evidence:
    """The evidence without the host's own connections: they are no deeds of a trainee.

    A probe's record says which of its addresses (``clients``) came after which record (``since``). Everything from these
    addresses between there and the record is the probe's, and so is what follows in the same sessions.
    """
    probes = evidence.of("lab", "probe")
    if not probes:
        return evidence
    spans = [(int(r.detail.get("since", 0)), r.seq, set(r.detail.get("clients", ()))) for r in probes]
    starts = [r.seq for r in evidence.of("lab", "host-start")]
    ours: set[int] = set()
    sessions: dict[tuple[str, str], int] = {}
    for record in evidence.records:
        if record.protocol == "lab" or not record.client:
            continue
        where = (record.protocol, record.session)
        if any(since < record.seq <= until and record.client in clients for since, until, clients in spans):
            ours.add(record.seq)
            if record.session:
                sessions[where] = record.seq
        elif where in sessions and not any(sessions[where] < start <= record.seq for start in starts):
            ours.add(record.seq)
    return Without(evidence, ours) if ours else evidence


def without_rogues(evidence: Evidence) -> Evidence:
    """The evidence without what the lab's own rogue clients did: a trainee is not to blame for it, and earns nothing by it.

    Records of the kind ``rogue`` name each address from when it connects to when it is gone. Everything from it in between is
    the rogue's, what follows in the same sessions too, and what a command that it published did to the plant. What became
    of the tags stays, and `Without.whole` has everything, for whoever judges how a trainee deals with a rogue.
    """
    if not evidence.of("lab", "rogue"):
        return evidence
    ours: set[int] = set()
    here: set[str] = set()
    sessions: set[tuple[str, str]] = set()
    spoofed: dict[str, bool] = {}
    for record in evidence.records:
        if record.protocol == "lab":
            client, phase = str(record.detail.get("client", "")), record.detail.get("phase")
            if record.kind == "rogue" and phase == "open":
                here.add(client)
            elif record.kind == "rogue" and phase == "close":
                here.discard(client)
            elif record.kind == "host-start":
                here.clear()
                sessions.clear()
            continue
        where = record.protocol, record.session
        rogue = record.client in here or (bool(record.session) and where in sessions)
        if record.protocol == "mqtt" and record.kind == "publish":
            spoofed[record.subject] = rogue
        elif record.protocol == "mqtt" and record.kind == "write":
            rogue = spoofed.get(record.subject, False)  # it names no client; what carried it came just before
        if rogue:
            ours.add(record.seq)
            if record.session:
                sessions.add(where)
    return Without(evidence, ours) if ours else evidence
