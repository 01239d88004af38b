"""Growth as an image: SVG that is the same for the same figures."""
# matplotlib types the arguments that it passes on as unknown.
# pyright: reportUnknownMemberType=false

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.harness import Curve
from benchmarks.quantities import exponent

_AXES = {"s": "seconds", "bytes": "bytes"}


def draw(curves: list[Curve], path: Path) -> None:
    """Draw curves of one size and one unit, both axes logarithmic."""
    mpl.rcParams["svg.hashsalt"] = "headway"
    mpl.rcParams["svg.fonttype"] = "none"  # text as text: a tenth of the size, and it can be found
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for curve in curves:
        label = f"{curve.what} (^{exponent(curve):.2f})"
        axes.plot(curve.sizes, curve.values, marker="o", markersize=4, label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(curves[0].of)
    axes.set_ylabel(_AXES[curves[0].unit])
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path, format="svg", metadata={"Date": None})
