"""How answers are read, strictly. Against a server: `tests/cli/test_endpoint.py`."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unspin.ask import Question
from unspin.endpoint import answers_in, is_url

ASKED = [Question("The [[struggle]] ended.", ("war", "struggle")), Question("It is [[keen]].", ("keen", "eager"))]


@pytest.mark.parametrize(
    ("content", "answers"),
    [
        ('{"1": 2, "2": 1}', [1, 0]),
        (' {"2": 1,\n"1": 2}\n', [1, 0]),
        ('{"1": 2}', [1, None]),
        ('{"1": 1, "2": 1, "3": 1, "why": "it fits"}', [0, 0]),
        ('{"1": 1, "2": 1, "1": 2}', [None, 0]),
        ('{"1": 0, "2": 3}', [None, None]),
        ('{"1": true, "2": 1.0}', [None, None]),
        ('{"1": "1", "2": null}', [None, None]),
        ('{"1": [1], "2": {"2": 1}}', [None, None]),
        ('{"1": 1e0, "2": NaN}', [None, None]),
        ('{"answers": {"1": 1, "2": 1}}', [None, None]),
        ('[["1", 1], ["2", 1]]', [None, None]),
        ('```json\n{"1": 1, "2": 1}\n```', [None, None]),
        ('{"1": 1, "2": 1', [None, None]),
        (f'{{"1": {"9" * 5000}, "2": 1}}', [None, None]),
        ("1", [None, None]),
        ("", [None, None]),
        ("{}", [None, None]),
        ("[" * 100_000, [None, None]),
    ],
)
def test_an_answer_is_a_number_of_an_option_or_none(content: str, answers: list[int | None]) -> None:
    assert answers_in(content, ASKED) == answers


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 4) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("12") | st.text(max_size=2), inner),
    max_leaves=6,
)


@given(st.text() | JSON.map(json.dumps))
@example('{"1": -1}')
def test_no_answer_leads_out_of_the_options(content: str) -> None:
    answers = answers_in(content, ASKED)
    assert len(answers) == len(ASKED)
    assert set(answers) <= {None, 0, 1}


def test_rankers_and_urls_are_told_apart() -> None:
    assert all(map(is_url, ("http://localhost", "https://example.org/v1", "HTTP://X")))
    assert not any(map(is_url, ("context", "none", "http.vectors", "./http:/x", "ftp://example.org")))


def test_the_client_is_loaded_when_an_endpoint_is() -> None:
    source = "import sys, unspin.endpoint, unspin.commands.clean; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", source], check=False).returncode == 0
