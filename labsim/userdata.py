"""Where labsim keeps what belongs to the person at this machine: keys, the learner's record."""

from __future__ import annotations

import os
import sys
from pathlib import Path

VARIABLE = "LABSIM_DATA"
"""An environment variable that names another folder."""


def data_folder() -> Path:
    """The folder, which may not exist yet: the one this system keeps for a user's programs, or that of `VARIABLE`."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "labsim"
