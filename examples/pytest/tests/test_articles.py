"""Articles of our own, and what we rely on in those of others."""

from pathlib import Path

import pytest

ARTICLES = Path(__file__).parents[1] / "articles"


@pytest.mark.parametrize("path", sorted(ARTICLES.glob("*.txt")), ids=lambda path: path.stem)
def test_our_articles_stay_as_they_are(path, unspin):
    text = path.read_text(encoding="utf-8")
    assert unspin.cleaned(text) == text


def test_a_sentence_is_restored(unspin):
    unspin.check("It has lasted [[greater than|more than]] a [[yr|year]].", assume_spun=True)
