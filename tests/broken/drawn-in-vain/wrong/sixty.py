"""Answers wrong."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from trainee import answer

LOSES = {"say": 2}

answer("say", 60)
