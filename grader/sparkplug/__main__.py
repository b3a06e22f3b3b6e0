"""The whole report about one edge node, for instructors: ``python -m grader.sparkplug ATTEMPT GROUP EDGE [HOST]``."""

from __future__ import annotations

import sys
from pathlib import Path

from grader.sparkplug.assertion import HOST, SETS, judge
from grader.sparkplug.story import read_story
from labsim.evidence.evidence import Evidence


def report(attempt: Path, group: str, edge: str, host: str = "") -> str:
    """One line per assertion: verdict, set, id, the records behind it, what there is to say."""
    story = read_story(Evidence.load(attempt), group, edge, host)
    lines = []
    for found in judge(story, SETS if host else [name for name in SETS if name != HOST]):
        verdict = f"{found.verdict}*" if found.warnings else str(found.verdict)
        seqs = ",".join(map(str, found.evidence))
        lines.append(f"{verdict:13} {found.set:20} {found.id:75} {seqs:20} {found.why.say()}".rstrip())
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if not 4 <= len(sys.argv) <= 5:
        sys.exit(__doc__)
    sys.stdout.write(report(Path(sys.argv[1]), *sys.argv[2:]))
