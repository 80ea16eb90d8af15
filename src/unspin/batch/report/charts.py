"""Charts as SVG, drawn by pygal: pictures that run nothing, in the colours of the page, by day and by night.

In come numbers and their labels; out goes an image for a page, as a data URL. Refused, by `UnspinError`: to draw
without pygal (extra `report`).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Any

from unspin.errors import UnspinError

WIDTH, HEIGHT = 640, 260
MOST_LABELS = 12  # that stand side by side
_INK, _FAINT, _RULE, _BAR = "#22201c", "#6b665d", "#dedad2", "#1d5a9e"
_NIGHT = """
@media (prefers-color-scheme: dark) {
  {{ id }} .axis text, {{ id }} text { fill: #a19b8f !important; }
  {{ id }} .guides, {{ id }} .line { stroke: #383a3b !important; }
  {{ id }} .rect { fill: #8dbdf2 !important; stroke: #8dbdf2 !important; }
}
"""
_ALIVE = re.compile(r"<script.*?</script>|<!--.*?-->|<\?xml.*?\?>", re.DOTALL)


def _style() -> Any:
    from pygal.style import Style

    return Style(
        background="transparent",
        plot_background="transparent",
        foreground=_FAINT,
        foreground_strong=_INK,
        foreground_subtle=_RULE,
        colors=(_BAR,),
        opacity="1",
        font_family='system-ui, "Segoe UI", "DejaVu Sans", sans-serif',
        label_font_size=12,
        major_label_font_size=12,
    )


def bars(name: str, labels: Sequence[str], values: Sequence[float], *, flat: bool = False) -> str:
    """A bar for each value; `flat` lays them on their sides. The name tells charts of a page apart."""
    try:
        import pygal
    except ImportError as error:
        raise UnspinError("a report needs pygal: pip install 'unspin[report]'") from error
    kind = pygal.HorizontalBar if flat else pygal.Bar
    chart = kind(
        js=(),
        css=["file://style.css", "file://graph.css", f"inline:{_NIGHT}"],
        style=_style(),
        show_legend=False,
        explicit_size=True,
        width=WIDTH,
        height=HEIGHT if not flat else 60 + 24 * len(labels),
        margin=8,
        value_formatter=lambda value: f"{value:,.0f}",
        truncate_label=-1,
    )
    chart.uuid = name  # else drawn by chance, and no two pages are alike
    shown = zip(labels, values, strict=True)
    ordered = list(shown)[::-1] if flat else list(shown)
    each = 1 if flat else -(-len(ordered) // MOST_LABELS)
    chart.x_labels = ["" if n % each else label for n, (label, _) in enumerate(ordered)]
    chart.add("", [value for _, value in ordered])
    drawn = _ALIVE.sub("", chart.render(is_unicode=True))
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.encode()).decode()
