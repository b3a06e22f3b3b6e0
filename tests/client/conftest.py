"""The fake host is a module beside this file, shared with the terminal UI's tests."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fake_host import FakeHost


@pytest.fixture
async def host() -> AsyncIterator[FakeHost]:
    """A fake host that listens."""
    async with FakeHost() as running:
        yield running
