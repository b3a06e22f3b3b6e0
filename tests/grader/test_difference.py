from __future__ import annotations

from grader_bench import Bench
from test_grade import READ, marked

from grader.difference import differences

TASK = f"\n  - {{id: a, title: A, marks: 4, checks: [{{{READ}}}]}}\n"
ALARM = "penalties:\n  - plant.never: {tag: meter1.alarm, value: true, marks: 1}\n"


def test_what_changed_between_two_verdicts(bench: Bench) -> None:
    """The check, its task, a penalty that came, and the whole; nothing between a verdict and itself."""
    nothing = marked(bench, TASK).to_json("en")
    other = Bench(bench.folder.with_name("other"))
    other.read(1)
    other.true("meter1.alarm", (0, False), (1, True))
    read = marked(other, TASK, ALARM).to_json("zh-Hant")
    changes = differences(nothing, read)
    assert [(c["what"], c["id"]) for c in changes] == [
        ("check", "a.1"), ("task", "a"), ("verdict", "bench"), ("penalty", "penalty.1"),
    ]  # fmt: skip
    assert changes[0]["from"] == {"outcome": "failed", "score": 0, "max": 4}
    assert changes[0]["to"] == {"outcome": "passed", "score": 4, "max": 4}
    assert changes[3]["from"] is None
    assert differences(read, read) == []
