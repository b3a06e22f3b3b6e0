"""Whether there is what the host is to try, or a rogue client is to come to: the endpoint that a check names."""

from __future__ import annotations

from labsim.document import Document
from labsim.errors import did_you_mean
from labsim.scenario.fault_rules import links_of
from labsim.scenario.nesting import every_check

FAMILY = "probe"
_ROGUE = "rogue"


def judge_probes(document: Document) -> None:
    """Note every probe of an endpoint, and every check of a rogue client at one, that the scenario does not have."""
    links = links_of(document)
    for path, name, params in every_check(document):
        family, _, protocol = name.partition(".")
        if family == _ROGUE and links and isinstance(params.get(_ROGUE), str) and params[_ROGUE] not in links:
            near = did_you_mean(params[_ROGUE], links)
            document.problem((*path, _ROGUE), "unknown-link", f"there is no endpoint {params[_ROGUE]!r}.", near)
        wanted = params.get("endpoint") or ""
        if family != FAMILY or not links or not isinstance(wanted, str):
            continue
        alike = [link for link in links if link.partition(".")[0].partition(":")[0] == protocol]
        if wanted and wanted not in alike:
            hint = did_you_mean(wanted, alike) or (f"There are: {', '.join(alike)}." if alike else "")
            document.problem((*path, "endpoint"), "unknown-link", f"there is no {protocol} endpoint {wanted!r}.", hint)
        elif not alike:
            document.problem(path, "unknown-link", f"there is no {protocol} endpoint that could be tried.")
