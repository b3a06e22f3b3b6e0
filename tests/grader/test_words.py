from __future__ import annotations

import pytest

from grader.words import duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.25, "250 ms"),
        (0.9994, "999 ms"),
        (0.9999, "1 s"),
        (1.0, "1 s"),
        (119.0, "119 s"),
        (180.0, "3 min"),
        (7200.0, "2 h"),
    ],
)
def test_a_duration_reads_as_a_person_writes_it(seconds: float, said: str) -> None:
    """In the unit that reads best, never in powers of ten."""
    assert duration(seconds) == said
