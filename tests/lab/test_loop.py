"""The event loop of a host: uvloop's where it is there, the standard one where it is not."""

from __future__ import annotations

import asyncio
import sys
from importlib.util import find_spec

import pytest

from labsim.lab.loop import run


async def _loop_module() -> str:
    return type(asyncio.get_running_loop()).__module__


def test_a_host_needs_no_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it everything runs on the loop of the standard library."""
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert run(_loop_module()).startswith("asyncio")


@pytest.mark.skipif(find_spec("uvloop") is None, reason="uvloop is not installed")
def test_a_host_takes_uvloop() -> None:
    """With it the host runs on it."""
    assert run(_loop_module()).startswith("uvloop")
