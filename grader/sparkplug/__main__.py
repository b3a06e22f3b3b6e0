"""The whole report about one edge node, for instructors: ``python -m grader.sparkplug ATTEMPT GROUP EDGE [HOST]``.

Without arguments, the assertions that are judged, as docs/sparkplug.md lists them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from grader.sparkplug.assertion import HOST, SETS, assertions, judge
from grader.sparkplug.story import read_story
from labsim.errors import LabsimError
from labsim.evidence.evidence import Evidence


def report(attempt: Path, group: str, edge: str, host: str = "") -> str:
    """One line per assertion: verdict (with a star for a warning), set, id, the records behind it, what there is to say."""
    story = read_story(Evidence.load(attempt), group, edge, host)
    lines = []
    for found in judge(story, SETS if host else [name for name in SETS if name != HOST]):
        verdict = f"{found.verdict}*" if found.warnings else str(found.verdict)
        seqs = ",".join(map(str, found.evidence))
        lines.append(f"{verdict:13} {found.set:20} {found.id:75} {seqs:20} {found.why.say()}".rstrip())
    return "\n".join(lines) + "\n"


def catalogue() -> str:
    """The ids of each set, as Markdown; those that one rule judges stand on one line."""
    parts = []
    for name in SETS:
        rules: dict[object, list[str]] = {}
        for assertion in assertions():
            if assertion.set == name:
                rules.setdefault(assertion.rule, []).append(f"`{assertion.id}`")
        parts.append(f"### {name}\n\n" + "\n".join(f"- {', '.join(ids)}" for ids in rules.values()))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.stdout.write(catalogue())
    elif 4 <= len(sys.argv) <= 5:
        try:
            sys.stdout.write(report(Path(sys.argv[1]), *sys.argv[2:]))
        except LabsimError as error:
            sys.exit(str(error))
    else:
        sys.exit(__doc__)
