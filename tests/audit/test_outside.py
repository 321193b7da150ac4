"""What a page says of reads outside an array is so, and what is not so is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derivations.audit.sentences.asked import faults, holds
from derivations.audit.sentences.place import names, places
from derivations.document.blocks import listed
from derivations.language.tree import Ref
from tests.audit.test_sentences import of_text

ZERO = "An entry of {} outside its array is 0."
APART = "In a maximum, what lies outside its array takes no part."
SPEC = """
title = "A read outside"
[model]
equations = '''
z[t] = sum(w[k]*pad(x[t + k - 2]), k)
h[t] = {h}
L = mean((h[t] - y[t])**2, t)
'''
{ranges}
[data]
x = [1, -2, 3]
y = [1, 2, 3]
[parameters]
w = [0.5, 1, -1]
[training]
optimizer = {{ name = "SGD", lr = 0.1 }}
"""
PLAIN = SPEC.format(h="2*z[t]", ranges="")
LARGEST = SPEC.format(h="largest(pad(z[t + j - 2]), j)", ranges="ranges = { j = 3 }")


def test_a_padded_read_is_said_once_with_its_name() -> None:
    sight = of_text(PLAIN)
    found = [(message, place) for message, place in places(sight) if message.text == ZERO]
    assert names(found[0][0].parts[0]) == ["x"]
    assert found[0][1].part == "problem"
    assert not any(message.text == APART for message, _ in places(sight))
    assert list(faults(sight)) == []


def test_a_maximum_has_no_part_outside() -> None:
    sight = of_text(LARGEST)
    said = [message.text for message, _ in places(sight)]
    assert said.count(APART) == 1
    assert [names(m.parts[0]) for m, _ in places(sight) if m.text == ZERO][0] == ["x"]
    assert list(faults(sight)) == []


@pytest.mark.parametrize("name", ["y", "w", "h", "L", "nobody"])
def test_another_quantity_is_refused(name: str) -> None:
    sight = of_text(PLAIN)
    message, place = next(pair for pair in places(sight) if pair[0].text == ZERO)
    for wrong in (listed([Ref(name)]), listed([Ref("x"), Ref(name)])):
        assert not holds(replace(message, parts=(wrong,)), place)
    assert not holds(replace(message, text=APART, parts=()), place)
