"""Variants: what differs from seat to seat, drawn from the seed by a rule that any language can recompute.

The rule: ``n = HMAC-SHA256(key = seed, message = scenario id + "|" + variant name)`` as a big-endian whole number, key and
message in UTF-8. A variant with ``choose`` takes the item number ``n mod (number of items)``, counted from 0; one with
``range: [first, last]`` takes ``first + step · (n mod ((last - first) div step + 1))``. Each variant has its own message, so a
new one moves no other. No random generator is asked: the same seed draws the same values in ten years.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping

from labsim.scenario.model import Variant
from labsim.scenario.part import Drawn


def draw(variants: Mapping[str, Variant], seed: str | int, scenario_id: str) -> dict[str, Drawn]:
    """The value of each variant for ``seed``."""
    return {name: _draw(variant, _number(str(seed), f"{scenario_id}|{name}")) for name, variant in variants.items()}


def values(variant: Variant) -> list[Drawn]:
    """Every choice, or the first and last value of a range: what a check of the scenario should try."""
    if variant.choose is not None:
        return list(variant.choose)
    assert variant.range is not None
    last = _draw(variant, _count(variant) - 1)
    return list(dict.fromkeys((variant.range[0], last)))


def new_seed() -> str:
    """A short random seed that can be read aloud: 8 characters of base32, 40 bits."""
    return base64.b32encode(secrets.token_bytes(5)).decode("ascii").lower()


def seed_number(seed: str | int) -> int:
    """The plant's 64-bit seed: the first 8 bytes of SHA-256 of the seed's text, big-endian."""
    return int.from_bytes(hashlib.sha256(_bytes(str(seed))).digest()[:8], "big")


def _number(seed: str, message: str) -> int:
    return int.from_bytes(hmac.digest(_bytes(seed), _bytes(message), "sha256"), "big")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # a command line may hold bytes that are no UTF-8


def _count(variant: Variant) -> int:
    if variant.choose is not None:
        return len(variant.choose)
    assert variant.range is not None
    first, last = variant.range
    return (last - first) // variant.step + 1


def _draw(variant: Variant, number: int) -> Drawn:
    index = number % _count(variant)
    if variant.choose is not None:
        return variant.choose[index]
    assert variant.range is not None
    return variant.range[0] + variant.step * index
