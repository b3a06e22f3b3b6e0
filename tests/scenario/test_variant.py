"""Variants: drawn from the seed alone, by a rule anyone can recompute."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from labsim.scenario.model import Variant
from labsim.scenario.variant import draw, new_seed, seed_number, values

VARIANTS = {
    "order": Variant(choose=("ABCD", "CDAB", "BADC", "DCBA")),
    "base": Variant(range=(0, 400), step=20),
}


def test_the_rule_is_the_documented_one():
    """HMAC-SHA256 of `id|name` under the seed, modulo the number of choices: recomputed here without our code."""
    number = int.from_bytes(hmac.new(b"k3y", b"modbus-mapping|base", hashlib.sha256).digest(), "big")
    assert draw(VARIANTS, "k3y", "modbus-mapping")["base"] == 20 * (number % 21)


def test_a_draw_stays_what_it_is():
    """Values drawn today must be drawn in ten years; a change of the rule would change every mark."""
    assert draw(VARIANTS, "k3y", "modbus-mapping") == {"order": "CDAB", "base": 180}
    assert seed_number("k3y") == 11861094416905932967


@given(seed=st.text(max_size=20), extra=st.sampled_from(["a", "zz", "base2"]))
def test_a_new_variant_moves_no_other(seed, extra):
    """Each variant has its own stream, so authors may add one without changing what others draw."""
    before = draw(VARIANTS, seed, "x")
    after = draw({extra: Variant(range=(1, 9)), **VARIANTS}, seed, "x")
    assert {name: after[name] for name in before} == before


def test_a_number_and_its_digits_are_the_same_seed():
    """`--seed 7` is a text on a command line and may be a number elsewhere."""
    assert draw(VARIANTS, 7, "x") == draw(VARIANTS, "7", "x")
    assert seed_number(7) == seed_number("7")


def test_any_text_is_a_seed():
    """Also what a shell passes on that is no UTF-8, and nothing at all."""
    for seed in ("", "銑", "\udcff"):
        assert 0 <= seed_number(seed) < 2**64
        assert draw(VARIANTS, seed, "x") == draw(VARIANTS, seed, "x")


def test_draws_are_roughly_uniform():
    """Over 4,000 seeds each of four choices comes up within 10 % of its share, and every step of a range comes up."""
    drawn = [draw(VARIANTS, seed, "x") for seed in range(4000)]
    orders = Counter(d["order"] for d in drawn)
    assert all(900 < count < 1100 for count in orders.values()), orders
    assert {d["base"] for d in drawn} == set(range(0, 401, 20))


def test_variants_and_scenarios_draw_independently():
    """Two variants with the same choices, and the same variant in two scenarios, do not go together."""
    twins = {"a": Variant(choose=tuple(range(10))), "b": Variant(choose=tuple(range(10)))}
    pairs = [tuple(draw(twins, seed, "x").values()) for seed in range(500)]
    assert len(set(pairs)) > 90
    assert any(draw(twins, seed, "x") != draw(twins, seed, "y") for seed in range(3))


@given(first=st.integers(-1000, 1000), width=st.integers(0, 1000), step=st.integers(1, 50), seed=st.integers())
def test_a_range_draws_only_its_steps(first, width, step, seed):
    """A drawn value lies on a step between the ends, the ends included when a step falls there."""
    variant = Variant(range=(first, first + width), step=step)
    value = draw({"v": variant}, seed, "x")["v"]
    assert first <= value <= first + width
    assert (value - first) % step == 0
    assert values(variant)[0] == first
    assert first + width - step < values(variant)[-1] <= first + width


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"choose": [1], "range": [1, 2]},
        {"choose": []},
        {"range": [2, 1]},
        {"range": [1, 2], "step": 0},
        {"choose": [1], "step": 2},
        {"choose": [None]},
        {"choose": ["x" * 201]},
        {"range": [0, 2**60]},
    ],
)
def test_a_variant_that_cannot_be_drawn_is_refused(bad):
    """Neither, both, nothing, backwards, standing still: each is a mistake of the author."""
    with pytest.raises(ValidationError):
        Variant.model_validate(bad)


def test_choices_keep_their_types():
    """True stays a truth value and 1.0 a fraction: a setting may want either."""
    choose = Variant.model_validate({"choose": [True, 1, 1.5, "1"]}).choose
    assert [type(c) for c in choose] == [bool, int, float, str]


def test_new_seeds_are_short_and_differ():
    """Eight characters that can be read aloud, never the same twice."""
    seeds = {new_seed() for _ in range(100)}
    assert len(seeds) == 100
    assert all(len(s) == 8 and s.isalnum() and s == s.lower() for s in seeds)
