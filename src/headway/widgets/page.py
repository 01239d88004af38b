"""A run as HTML and as text. Everything that comes from a run is escaped."""

from html import escape
from typing import Final

from headway.model import Scalar, Status
from headway.widgets.view import MetricView, RunView

_COLORS: Final = {
    Status.COMPLETED: "#2e7d32",
    Status.FAILED: "#c62828",
    Status.CANCELED: "#757575",
    Status.RUNNING: "#1565c0",
}
_OTHER_COLOR: Final = "#ef6c00"
_WIDTH: Final = 160
_HEIGHT: Final = 32
_CELL: Final = "padding:2px 12px 2px 0;text-align:left;vertical-align:middle"
_LOG: Final = (
    "max-height:18em;overflow:auto;padding:6px;margin:6px 0 0;border:1px solid #8884;"
    "white-space:pre-wrap;font-size:12px"
)
_MOST_CHARS: Final = 120


def html_of(view: RunView) -> str:
    """A run as a piece of HTML, without scripts and without anything from elsewhere."""
    parts = [_head(view), _error(view), _metrics(view), _children(view), _log(view)]
    return f'<div class="headway-run" style="font-family:sans-serif">{"".join(parts)}</div>'


def text_of(view: RunView) -> str:
    """A run as lines of text."""
    lines = [f"Run {view.name} ({view.id})", f"{view.experiment}: {_state(view)}"]
    if view.error:
        lines.append(f"Error: {view.error}")
    lines += [f"  {one.title}: {_value(one.last)}" for one in view.metrics]
    lines += [f"  child {one.name}: {one.status}" for one in view.children]
    return "\n".join([*lines, *view.log])


def spark(metric: MetricView) -> str:
    """The course of a metric as a small picture: the band from the least to the greatest number."""
    low, high = min(metric.low), max(metric.high)
    span = (high - low) or 1.0
    if span == float("inf"):  # numbers so far apart that their difference is none
        return ""

    def point(at: float, value: float) -> str:
        y = (_HEIGHT - 4) * (1 - (value - low) / span) + 2
        return f"{at * (_WIDTH - 4) + 2:.1f},{y:.1f}"

    upper = [point(at, value) for at, value in zip(metric.at, metric.high, strict=True)]
    lower = [point(at, value) for at, value in zip(metric.at, metric.low, strict=True)]
    outline = " ".join([*upper, *reversed(lower)])
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'aria-label="{escape(metric.title)}"><polygon points="{outline}" fill="#1565c044" '
        'stroke="#1565c0" stroke-width="1.2" stroke-linejoin="round"/></svg>'
    )


def duration_text(seconds: float | None) -> str:
    """A duration for people: ``42 s``, ``3 min 5 s``, ``2 h 7 min``."""
    if seconds is None:
        return "not started"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _state(view: RunView) -> str:
    return f"{view.status}, {duration_text(view.duration_s)}"


def _head(view: RunView) -> str:
    color = _COLORS.get(view.status, _OTHER_COLOR)
    return (
        f"<div><b>{escape(view.name)}</b> in {escape(view.experiment)} "
        f'<span style="color:{color};font-weight:bold">{escape(view.status)}</span>, '
        f'{duration_text(view.duration_s)}</div><div style="font-size:12px;opacity:.7">'
        f"{escape(view.id)}</div>"
    )


def _error(view: RunView) -> str:
    return f'<pre style="{_LOG};color:#c62828">{escape(view.error)}</pre>' if view.error else ""


def _metrics(view: RunView) -> str:
    if not view.metrics:
        return ""
    rows = "".join(
        f'<tr><td style="{_CELL}">{escape(one.title)}</td>'
        f'<td style="{_CELL};font-variant-numeric:tabular-nums">{escape(_value(one.last))}</td>'
        f'<td style="{_CELL}">{spark(one) if one.at else ""}</td></tr>'
        for one in view.metrics
    )
    more = view.metric_count - len(view.metrics)
    note = f"<div>and {more} more metrics</div>" if more > 0 else ""
    return f"<table>{rows}</table>{note}"


def _children(view: RunView) -> str:
    if not view.children:
        return ""
    rows = "".join(
        f'<tr><td style="{_CELL}">{escape(one.name)}</td>'
        f'<td style="{_CELL}">{escape(one.status)}</td></tr>'
        for one in view.children
    )
    note = "<div>and more</div>" if view.child_count > len(view.children) else ""
    return f"<div>Child runs</div><table>{rows}</table>{note}"


def _log(view: RunView) -> str:
    if not view.log:
        return ""
    return f'<pre style="{_LOG}">{escape(chr(10).join(view.log))}</pre>'


def _value(value: Scalar) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _MOST_CHARS else f"{text[:_MOST_CHARS]}..."
