"""The peers' virtual environments: made on demand with uv, from pinned requirements, and kept."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.peers.table import HERE, Peer

_LIMIT_S: Final = 600.0


class PeerMissingError(Exception):
    """A peer cannot be installed; the message says what the installer said."""


def python_of(peer: Peer, cache: Path) -> Path:
    """The Python that runs the peer's adapter, with all that the peer needs.

    An environment's folder is named after what is in it, so that new pins make a new one; the last
    thing that is written is its marker.

    Raises:
        PeerMissingError: It could not be made.
    """
    if not peer.package:
        return Path(sys.executable)
    requirements = HERE / peer.home / "requirements.txt"
    version = ".".join(map(str, sys.version_info[:3]))
    content = hashlib.blake2b(requirements.read_bytes() + version.encode(), digest_size=6)
    folder = cache / f"{peer.home}-{content.hexdigest()}"
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        _uv("venv", "--clear", "--python", sys.executable, str(folder))
        options = ("--require-hashes", "--compile-bytecode", "--python", str(python))
        _uv("pip", "install", *options, "-r", str(requirements))
        (folder / ".ready").touch()
    return python


def version_of(peer: Peer) -> str:
    """The version that is pinned."""
    pins = (HERE / peer.home / "requirements.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(peer.package)}==(\S+)", pins, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


def _uv(*arguments: str) -> None:
    program = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if program is None:
        raise PeerMissingError("there is no uv, neither beside this Python nor on the PATH")
    try:
        done = subprocess.run(
            [program, "--quiet", *arguments], capture_output=True, text=True, timeout=_LIMIT_S
        )
    except subprocess.TimeoutExpired as error:
        raise PeerMissingError(f"uv {arguments[0]} took longer than {_LIMIT_S:g} s") from error
    if done.returncode:
        raise PeerMissingError(f"uv {arguments[0]}: {last_line(done.stderr)}")


def last_line(text: str) -> str:
    """What a program that failed said in the end: the last line with anything in it.

    Addresses, of a package index for one, are left out.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub(r"\w+://\S+", "(address)", lines[-1]) if lines else "it said nothing"
