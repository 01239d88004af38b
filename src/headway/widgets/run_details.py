"""``RunDetails``: a run that is shown and followed in a notebook."""

import sys
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, Protocol, cast

import msgspec

from headway.errors import HeadwayError, InvalidValueError
from headway.sdk.handles import Run
from headway.widgets.page import html_of, text_of
from headway.widgets.view import RunView, view_of

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 10.0
"""The pauses between two looks grow from the first to this, so that a long run costs little."""
_GROWTH: Final = 1.2


class Shown(Protocol):
    """Something on a page that can be replaced: the ``DisplayHandle`` of IPython."""

    def update(self, obj: object) -> None:
        """Put something else in its place."""
        ...


class RunDetails:
    """A run that is shown and followed in a notebook; elsewhere it is printed once.

    Args:
        run_instance: The run.
    """

    def __init__(self, run_instance: Run) -> None:
        if not isinstance(run_instance, Run):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidValueError(
                f"run_instance was given as {type(run_instance).__name__} {run_instance!r}: give "
                "a Run"
            )
        self._run = run_instance
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def show(self, render_lib: object = None, widget_settings: object = None) -> None:
        """Show the run: status, duration, metrics, children, the last lines of its log.

        In a notebook what is shown follows the run until it has ended, its cell is shown again or
        the kernel is interrupted; the notebook goes on meanwhile, and keeps the last state.

        Args:
            render_lib: Accepted and ignored.
            widget_settings: Accepted and ignored.
        """
        self.stop()
        view = view_of(self._run)
        shell = _notebook()
        if shell is None:
            print(text_of(view))  # noqa: T201  (what it is for)
            return
        display: Any = import_module("IPython.display").display  # only notebooks have it
        shown = cast("Shown", display(_Html(html_of(view)), display_id=True))
        if not view.status.ended:
            self._follow(shown)
            _on_interrupt(shell, self.stop)

    def stop(self) -> None:
        """Stop following; what is shown stays."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=FIRST_PAUSE_S)
        self._thread = None

    def get_widget_data(self, widget_settings: object = None) -> dict[str, object]:
        """What is shown, as a dict that JSON can hold, except for NaN and infinities."""
        return cast("dict[str, object]", msgspec.to_builtins(view_of(self._run)))

    def _follow(self, shown: Shown) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=follow,
            args=(lambda: view_of(self._run), shown, self._stop.wait),
            name="headway-widget",
            daemon=True,
        )
        self._thread.start()

    def _repr_html_(self) -> str:
        return html_of(view_of(self._run))


def follow(look: Callable[[], RunView], shown: Shown, wait: Callable[[float], bool]) -> None:
    """Show a run again and again until it has ended.

    Args:
        look: Reads what is to be shown.
        shown: Where it is shown.
        wait: Waits for so many seconds; whether to stop.
    """
    pause_s, before = FIRST_PAUSE_S, ""
    while not wait(pause_s):
        try:
            view = look()
        except HeadwayError as error:
            # A busy database is no reason to stop, a closed workspace is.
            if error.transient:
                continue
            return
        page = html_of(view)
        if page != before:
            shown.update(_Html(page))
        if view.status.ended:
            return
        before, pause_s = page, min(pause_s * _GROWTH, LONGEST_PAUSE_S)


class _Html:
    """HTML as notebooks take it."""

    def __init__(self, text: str) -> None:
        self._text = text

    def _repr_html_(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "<headway run>"


def _notebook() -> Any:  # noqa: ANN401  (IPython's shell has no types)
    """The shell of the notebook that this process is the kernel of; None elsewhere."""
    ipython: Any = sys.modules.get("IPython")
    shell: Any = ipython and ipython.get_ipython()
    return shell if hasattr(shell, "kernel") else None


def _on_interrupt(shell: Any, stop: Callable[[], None]) -> None:  # noqa: ANN401
    def after_cell(result: Any) -> None:  # noqa: ANN401
        if isinstance(result.error_in_exec, KeyboardInterrupt):
            shell.events.unregister("post_run_cell", after_cell)
            stop()

    shell.events.register("post_run_cell", after_cell)
