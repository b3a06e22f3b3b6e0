"""Answers right, then falls over its own feet."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from trainee import answer

answer("say", 50)

raise RuntimeError("no such meter")
