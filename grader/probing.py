"""The host's own probes: which a scenario wants, and evidence without what they did."""

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
