"""Random generators by name: what one draws changes no number of another."""

from __future__ import annotations

import hashlib

import numpy as np


def named_generator(name: str) -> np.random.Generator:
    """A generator from a name alone, such as seed and path of a device."""
    return np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(name.encode()).digest(), "big")))
