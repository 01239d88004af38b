"""A terminal for programs that look whether they write to one."""

import os
import pty
import subprocess
import sys

from tests.cli.conftest import HEADWAY


class Terminal:
    """A process with a terminal of its own, and what it wrote there.

    Args:
        program: Python to execute, after what sets the width.
        columns: How wide the terminal is.
        environment: Variables that are set beside those of this process.
    """

    def __init__(
        self, program: str, columns: int, environment: dict[str, str] | None = None
    ) -> None:
        self._own, its = pty.openpty()
        sized = f"import termios\ntermios.tcsetwinsize(1, (24, {columns}))\n"
        inherited = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "COLUMNS"}}
        self.process = subprocess.Popen(
            [sys.executable, "-c", sized + program],
            stdout=its,
            stderr=its,
            env={**inherited, "TERM": "xterm", **(environment or {})},
        )
        os.close(its)
        self._written = b""

    @property
    def text(self) -> str:
        """What was read so far."""
        return self._written.decode(errors="replace").replace("\r\n", "\n")

    def read_until(self, text: str) -> str:
        """Read on until this is there; return everything so far."""
        while text not in self.text and self._read():
            pass
        assert text in self.text, self.text
        return self.text

    def finish(self, code: int = 0) -> str:
        """Read to the end of the program, and check its exit code; return everything."""
        while self._read():
            pass
        os.close(self._own)
        assert self.process.wait() == code, self.text
        return self.text

    def _read(self) -> bool:
        try:
            data = os.read(self._own, 4096)
        except OSError:  # the terminal's way of saying that its program has ended
            return False
        self._written += data
        return bool(data)


def headway(*arguments: str) -> str:
    """The program that is the command with these arguments."""
    return f"import sys\nsys.argv[1:] = {list(arguments)!r}\n{HEADWAY[2]}"
