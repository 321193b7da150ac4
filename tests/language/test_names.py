"""Names: what is put together is read apart again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derivations.language import names
from tests.strategies import NAMES

own = st.sampled_from(sorted(NAMES)) if not isinstance(NAMES, st.SearchStrategy) else NAMES


@given(own, own)
def test_an_adjoint_is_read_apart(loss: str, quantity: str) -> None:
    name = names.adjoint(loss, quantity)
    assert names.adjoint_of(name, loss) == names.adjoint_of(name) == quantity
    assert names.of_adjoint(name, loss) == quantity
    assert names.adjoint_of(quantity) is names.adjoint_of(quantity, loss) is None
    assert names.from_word(names.as_words(name, loss), loss) == name


@given(own)
def test_primes_come_and_go(quantity: str) -> None:
    twice = names.after(names.after(quantity))
    assert names.is_after(twice)
    plain, primes = names.unprimed(twice), names.primes(twice)
    assert (plain + primes, primes[-2:]) == (twice, "''")
    assert not names.is_after(plain)


@given(own, own)
def test_a_state_is_of_its_parameter(state: str, parameter: str) -> None:
    assert (state, parameter) in names.made_of(names.state_name(state, parameter), [parameter, "other"])


def test_parts_of_formulas_are_numbered() -> None:
    assert names.part_name("L", {"L", "L_s1"}) == "L_s2"
    assert names.is_part_of("L_s2", "L")
    assert names.is_part_of("L", "L")
    assert not names.is_part_of("L_sum", "L")
    assert not names.is_part_of("LL_s1", "L")


@pytest.mark.parametrize(
    ("name", "word", "accent", "scripts"),
    [("theta_1", "theta", "", ("1",)), ("yhat", "y", "hat", ()), ("w12", "w", "", ("12",))],
)
def test_the_likeliest_spelling(name: str, word: str, accent: str, scripts: tuple[str, ...]) -> None:
    first = next(names.spellings(name))
    assert (first.word, first.accent, first.scripts) == (word, accent, scripts)


def test_numbers_above_and_long_words() -> None:
    assert names.raised("a^(1)") == ("a", "1")
    assert names.raised("a_1") == ("a_1", "")
    assert names.long_word("net_h1") == names.Spelling("net", "", ("h1",))
    assert names.long_word("w") is None
