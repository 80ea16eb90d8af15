"""The reliability diagram as a file."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from unspin.calibration import Judged
from unspin.commands.plot import drawn
from unspin.errors import UnspinError

JUDGED = [Judged(0.95, True), Judged(0.91, True), Judged(0.55, True), Judged(0.52, False)]


def test_svg_is_well_formed_and_the_same_every_time() -> None:
    picture = drawn(JUDGED, style="svg")
    assert ElementTree.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"
    assert drawn(JUDGED, style="svg") == picture
    assert drawn(JUDGED[:3], style="svg") != picture


def test_png_is_one() -> None:
    assert drawn(JUDGED, style="png").startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize(("style", "judged", "problem"), [("bmp", JUDGED, "not .bmp"), ("svg", [], "nothing was")])
def test_what_cannot_be_drawn_is_refused(style: str, judged: list[Judged], problem: str) -> None:
    with pytest.raises(UnspinError, match=problem):
        drawn(judged, style=style)
