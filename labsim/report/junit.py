"""A verdict as JUnit XML, for build servers: a test suite per task, a test case per check.

Failed is a failure; not checked is skipped; what we could not check is an error, which is nobody's fault but ours. The format
has no marks, so score and maximum stand in properties, and the evidence in ``system-out``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from labsim.evidence.evidence import Evidence
from labsim.report.rows import rows

_ELEMENTS = {"failed": "failure", "not_checked": "skipped", "cannot_check": "error"}


def junit(verdict: Mapping[str, Any], evidence: Evidence, lang: str) -> bytes:
    """The verdict as a JUnit document.

    Args:
        verdict: The document, as `Verdict.to_json` makes it.
        evidence: Of the same attempt.
        lang: Language of the rows of evidence.
    """
    root = Element("testsuites", {"name": verdict["scenario"]})
    for task in verdict["tasks"]:
        suite = _suite(root, verdict, task["id"], task["checks"])
        _properties(suite, {"title": task["title"], "score": task["score"], "max": task["max"], "hints": task["hints"]})
        for check in task["checks"]:
            case = _case(suite, f"{verdict['scenario']}.{task['id']}", f"{check['id']} {check['title']}")
            _properties(case, {"check": check["check"], "score": check["score"], "max": check["max"]})
            if check["outcome"] in _ELEMENTS:
                said = {name: check[name] for name in ("expected", "actual", "help") if check[name]}
                _told(case, _ELEMENTS[check["outcome"]], check["check"], check["reason"], said)
            _evidence(case, evidence, check["evidence"], lang)
    if verdict["penalties"]:
        suite = _suite(root, verdict, "penalties", verdict["penalties"])
        for penalty in verdict["penalties"]:
            case = _case(suite, f"{verdict['scenario']}.penalties", penalty["id"])
            _properties(case, {"marks": penalty["marks"]})
            _told(case, "failure" if penalty["marks"] else "error", "penalty", penalty["reason"], {})
            _evidence(case, evidence, penalty["evidence"], lang)
    for suite in root:
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite.set(name, str(len(suite.findall(f"testcase/{tag}"))))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    indent(root)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _suite(root: Element, verdict: Mapping[str, Any], name: str, cases: list[Any]) -> Element:
    suite = SubElement(root, "testsuite", {"name": name, "tests": str(len(cases))})
    facts = {"seed": verdict["seed"], "attempt": verdict["attempt"], "head": verdict["head"]}
    _properties(suite, facts | {f"version.{name}": text for name, text in verdict["versions"].items()})
    return suite


def _case(suite: Element, group: str, name: str) -> Element:
    return SubElement(suite, "testcase", {"classname": group, "name": _plain(name)})


def _properties(parent: Element, facts: Mapping[str, Any]) -> None:
    holder = parent.find("properties")
    holder = SubElement(parent, "properties") if holder is None else holder
    for name, value in facts.items():
        SubElement(holder, "property", {"name": name, "value": _plain(str(value))})


def _told(case: Element, tag: str, kind: str, reason: str, said: Mapping[str, str]) -> None:
    node = SubElement(case, tag, {"message": _plain(reason)} | ({} if tag == "skipped" else {"type": kind}))
    node.text = _plain("\n".join(f"{name}: {text}" for name, text in said.items())) or None


def _evidence(case: Element, evidence: Evidence, numbers: list[int], lang: str) -> None:
    lines = [f"{row.seq} {row.time} {row.endpoint} {row.client} {row.what}" for row in rows(evidence, numbers, lang)]
    if lines:
        SubElement(case, "system-out").text = _plain("\n".join(lines))


def _plain(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold, not even as references (§2.2)."""
    return "".join(
        c if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "\ufffd"
        for c in text
    )
