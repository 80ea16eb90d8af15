"""The reliability table as a picture: judged edits in, PNG or SVG out. Needs matplotlib (the extra `plot`)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from unspin.calibration import Judged, expected_calibration_error, reliability
from unspin.errors import UnspinError

STYLES = ("png", "svg")


def style_of(path: Path) -> str:
    """The style that a file name asks for. Raises UnspinError if it is none of STYLES."""
    style = path.suffix.removeprefix(".").lower()
    _refuse_unknown(style)
    return style


def _refuse_unknown(style: str) -> None:
    if style not in STYLES:
        raise UnspinError(f"--plot draws .png and .svg, not {f'.{style}' if style else 'a file without a suffix'}")


def drawn(judged: Sequence[Judged], *, style: str) -> bytes:
    """A reliability diagram: how often edits were right, by how sure they were; the diagonal is perfect.

    Raises UnspinError if `style` is none of STYLES, nothing was judged, or matplotlib is not installed.
    """
    _refuse_unknown(style)
    if not judged:
        raise UnspinError("--plot: nothing was judged, so there is nothing to draw")
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UnspinError("--plot needs matplotlib: pip install 'unspin[plot]'") from error
    bins = reliability(judged)
    figure = Figure(figsize=(5.5, 6.5), layout="constrained")
    chart, counts = figure.subplots(2, 1, height_ratios=(3, 1), sharex=True)
    chart.plot((0, 1), (0, 1), color="0.6", linestyle="--", linewidth=1, label="perfect")
    chart.plot([b.confidence for b in bins], [b.accuracy for b in bins], marker="o", color="#1f5fa8", label="measured")
    chart.set(ylabel="share that was right", ylim=(0, 1.02), xlim=(0, 1))
    chart.set_title(f"{len(judged):,} edits, expected calibration error {expected_calibration_error(judged):.3f}")
    chart.legend(frameon=False, loc="upper left")
    counts.bar([(b.lower + b.upper) / 2 for b in bins], [b.count for b in bins], width=0.09, color="#1f5fa8")
    counts.set(xlabel="confidence", ylabel="edits")
    for axes in (chart, counts):
        axes.spines[["top", "right"]].set_visible(False)
    file = io.BytesIO()
    with rc_context({"svg.hashsalt": "unspin"}):  # else ids are random
        figure.savefig(file, format=style, dpi=150, metadata={"Date": None} if style == "svg" else None)
    return file.getvalue()
