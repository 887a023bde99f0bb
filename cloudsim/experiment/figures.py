"""What all plots have in common: colours that the colour-blind can tell apart, one style, the same bytes for the same data.

Colours are from Okabe and Ito's palette; lines that could be confused differ in style as well.
"""

from __future__ import annotations

import io
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#B59F00",
    "#8A8A8A",
)
CYCLE = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, GREY)
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 12,
    "axes.labelcolor": "#333333",
    "axes.edgecolor": "#999999",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.8,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "svg.hashsalt": "cloudsim",
    "svg.fonttype": "path",
    "path.simplify": True,
}


def svg(figure: Figure) -> bytes:
    """The figure as SVG, without a date."""
    return _saved(figure, "svg", {"Date": None, "Creator": None})


def png(figure: Figure) -> bytes:
    """The figure as PNG, 144 dots per inch, without a date or a program's name."""
    return _saved(figure, "png", {"Software": None})


def pdf(figure: Figure) -> bytes:
    """The figure as PDF, without a date or a program's name."""
    return _saved(figure, "pdf", {"CreationDate": None, "Creator": None, "Producer": None})


def _saved(figure: Figure, format: str, metadata: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(buffer, format=format, dpi=144, metadata=metadata)
    return buffer.getvalue()


def blank(
    title: str, xlabel: str, ylabel: str, size: tuple[float, float] = (8.0, 4.2)
) -> tuple[Figure, Any]:
    """A figure with one pair of axes; `size` in inches."""
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    return figure, axes


def legend(axes: Any) -> None:
    """Below the plot, where it hides nothing, on as many lines as it needs."""
    labels = axes.get_legend_handles_labels()[1]
    characters = [len(label) + 8 for label in labels]
    columns = len(labels) if sum(characters) <= 100 else max(1, 100 // max(characters))
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=columns, columnspacing=1.6)
