"""Starting a host as a process of its own, so that a terminal UI that ends or crashes does not end the lab."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from typing import Any

from labsim.errors import ControlError


def start_host(arguments: list[str]) -> dict[str, Any]:
    """Start ``labsim run … --headless --json`` and return its ``ready`` document.

    Raises:
        ControlError: it did not come up; with what it said.
    """
    command = [sys.executable, "-m", "labsim", "run", *arguments, "--headless", "--json"]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        host = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command,
            stdout=subprocess.PIPE,
            stderr=complaints,
            stdin=subprocess.DEVNULL,
            encoding="utf-8",
            # a Ctrl-C in the terminal is for the UI, not for the host: a new session, or a new process group on Windows
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        assert host.stdout is not None
        line = host.stdout.readline()
        if not line:
            host.wait()
            complaints.seek(0)
            said = complaints.read().strip().removeprefix("labsim: ")
            raise ControlError(said or f"the lab did not start (exit code {host.returncode}).")
    ready: dict[str, Any] = json.loads(line)
    return ready
