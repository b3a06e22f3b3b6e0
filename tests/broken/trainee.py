"""What the solutions of the broken labs share: answering, with nothing to install and nothing that starts slowly."""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path


def answer(task: str, value: float) -> None:
    """Give the lab an answer."""
    ready = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    body = json.dumps({"task": task, "value": value}).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{ready['control']}/answer", body, headers), timeout=20):
        pass
