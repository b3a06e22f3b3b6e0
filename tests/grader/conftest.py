"""The bench of each test; see grader_bench.py."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from grader_bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A bench whose attempt is built when it is first asked for."""
    return Bench(tmp_path / "attempt")
