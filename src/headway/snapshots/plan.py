"""What of a source directory belongs to a snapshot."""

import os
import posixpath
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from headway.errors import SnapshotError
from headway.snapshots.ignore import IgnorePatterns

_VERSION_CONTROL: Final = {".git", ".hg", ".svn"}
_CACHES: Final = {
    "__pycache__",
    ".ipynb_checkpoints",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
}
_INSTALLED: Final = {"node_modules", ".tox", ".nox"}
_OURS: Final = {".headway"}
_SKIPPED_FOLDERS: Final = _VERSION_CONTROL | _CACHES | _INSTALLED | _OURS
_SKIPPED_FILES: Final = frozenset({".DS_Store"})
_SKIPPED_SUFFIX: Final = ".pyc"
_ENVIRONMENT_MARK: Final = "pyvenv.cfg"
_IGNORE_FILES: Final = (".amlignore", ".gitignore")
_LISTED: Final = 10
_HOW_TO_EXCLUDE: Final = (
    "exclude what the program does not need in an .amlignore file there (patterns as in .gitignore)"
)


class PlannedFile(NamedTuple):
    """A regular file as it was seen."""

    path: str
    """Relative to the source, with forward slashes; undecodable bytes as surrogates."""
    mode: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int


class Skipped(NamedTuple):
    """Something that cannot be part of a snapshot."""

    path: str
    reason: str


@dataclass(slots=True)
class SnapshotPlan:
    """What would be kept of a source directory."""

    source: Path
    max_bytes: int
    """Most that the files may hold together, also where they grow until they are read."""
    files: list[PlannedFile] = field(default_factory=list[PlannedFile])
    folders: dict[str, int] = field(default_factory=dict[str, int])
    """Path and permission bits of every folder below the source."""
    links: dict[str, str] = field(default_factory=dict[str, str])
    """Path and target of every symbolic link."""
    skipped: list[Skipped] = field(default_factory=list[Skipped])
    size_bytes: int = 0

    @property
    def entry_count(self) -> int:
        """Files, folders and links together."""
        return len(self.files) + len(self.folders) + len(self.links)


def plan_snapshot(
    source: Path, *, max_bytes: int, max_files: int, exclude: Sequence[Path] = ()
) -> SnapshotPlan:
    """Walk a source directory and decide what belongs to its snapshot.

    Left out is what ``.amlignore`` in the source says, or ``.gitignore`` where there is no
    ``.amlignore``, and always version control, caches, virtual environments, ``node_modules`` and
    Headway's own folders. Symbolic links are kept as links and never followed.

    Args:
        source: The directory.
        max_bytes: Largest total size of the files.
        max_files: Most files, folders and links.
        exclude: Folders to leave out besides, such as the workspace's own.

    Raises:
        SnapshotError: There is no such directory, it cannot be read, or it is too large.
    """
    root = source.absolute()
    if not root.is_dir():
        what = "is no directory" if root.exists() else "does not exist"
        raise SnapshotError(
            f"the source directory {str(root)!r} {what}: give the directory that holds the script"
        )
    walk = _Walk(
        SnapshotPlan(root, max_bytes),
        _excluded_paths(root, exclude),
        give_up_at=4 * max_files + 1_000,
    )
    plan = walk.plan()
    if plan.size_bytes > max_bytes:
        refuse_size(plan)
    if plan.entry_count > max_files:
        _refuse_count(plan, max_files, complete=walk.complete)
    plan.files.sort()
    return plan


class _Walk:
    def __init__(self, plan: SnapshotPlan, excluded: set[str], give_up_at: int) -> None:
        self._plan = plan
        self._excluded = excluded
        self._give_up_at = give_up_at
        self._ignored = _read_ignore_file(plan.source)
        self.complete = True

    def plan(self) -> SnapshotPlan:
        pending = [""]
        while pending:
            if self._plan.entry_count > self._give_up_at:
                self.complete = False
                break
            pending += self._folder(pending.pop())
        return self._plan

    def _folder(self, folder: str) -> list[str]:
        """Take up what one folder holds; return the folders in it."""
        where = self._plan.source / folder
        try:
            with os.scandir(where) as scan:
                entries = list(scan)
        except (FileNotFoundError, NotADirectoryError):
            self._plan.folders.pop(folder, None)  # gone, or something else, since it was seen
            return []
        except OSError as error:
            raise unreadable(where, error) from error
        if folder and any(entry.name == _ENVIRONMENT_MARK for entry in entries):
            del self._plan.folders[folder]
            return []
        prefix = f"{folder}/" if folder else ""
        return [path for entry in entries if self._takes_folder(entry, path := prefix + entry.name)]

    def _takes_folder(self, entry: os.DirEntry[str], path: str) -> bool:
        """Take up one entry; whether it is a folder to go into."""
        is_folder = entry.is_dir(follow_symlinks=False)
        if self._leaves_out(entry.name, path, is_folder):
            return False
        plan = self._plan
        try:
            found = entry.stat(follow_symlinks=False)
            mode = found.st_mode
            if stat.S_ISREG(mode):
                size = found.st_size
                times = found.st_mtime_ns, found.st_ctime_ns
                plan.files.append(PlannedFile(path, mode & 0o777, size, *times, found.st_ino))
                plan.size_bytes += size
            elif stat.S_ISDIR(mode):
                plan.folders[path] = mode & 0o777
                return is_folder
            elif stat.S_ISLNK(mode):
                plan.links[path] = self._link_target(entry, path)
            else:
                plan.skipped.append(Skipped(path, "a pipe, socket or device"))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise unreadable(Path(entry.path), error) from error
        return False

    def _leaves_out(self, name: str, path: str, is_folder: bool) -> bool:
        if is_folder:
            if name in _SKIPPED_FOLDERS or path in self._excluded:
                return True
        elif name in _SKIPPED_FILES or name.endswith(_SKIPPED_SUFFIX):
            return True
        return self._ignored.ignores(path, is_folder=is_folder)

    def _link_target(self, entry: os.DirEntry[str], path: str) -> str:
        target = str(Path(entry.path).readlink())
        folder = posixpath.dirname(path)
        reached = posixpath.normpath(posixpath.join(folder, target))
        if reached == ".." or reached.startswith("../"):
            # It leads out of the source, and the snapshot will lie elsewhere.
            return str(self._plan.source / folder / target)
        return target


def _excluded_paths(root: Path, exclude: Iterable[Path]) -> set[str]:
    real_root = root.resolve()
    excluded: set[str] = set()
    for folder in exclude:
        real = folder.resolve()
        if real == real_root:
            raise SnapshotError(
                f"the source directory {str(root)!r} is the folder of the workspace itself: put "
                "the script into a directory of its own"
            )
        if real.is_relative_to(real_root):
            excluded.add(real.relative_to(real_root).as_posix())
    return excluded


def _read_ignore_file(root: Path) -> IgnorePatterns:
    for name in _IGNORE_FILES:
        if not (root / name).is_file():
            continue
        try:
            content = (root / name).read_text(encoding="utf-8-sig", errors="surrogateescape")
        except OSError as error:
            raise unreadable(root / name, error) from error
        return IgnorePatterns(content)
    return IgnorePatterns("")


def unreadable(path: Path, error: OSError) -> SnapshotError:
    """The error for something in the source that belongs to the snapshot but cannot be read."""
    return SnapshotError(
        f"{str(path)!r} cannot be read: {error.strerror}; make it readable, or {_HOW_TO_EXCLUDE}"
    )


# ---------------------------------------------------------------- too large


def refuse_size(plan: SnapshotPlan, grown: Mapping[str, int] | None = None) -> NoReturn:
    """Say that the files are too large together, and which are the largest.

    Args:
        plan: What was planned.
        grown: By how much files grew since.
    """
    weights = Counter({file.path: file.size_bytes for file in plan.files})
    weights.update(grown or {})
    listed = "\n".join(f"  {size_text(weight)}  {path}" for path, weight in _heaviest(weights))
    raise SnapshotError(
        f"the source directory {str(plan.source)!r} holds {size_text(weights.total())}: at most "
        f"{size_text(plan.max_bytes)} is kept with a run. The largest in it:\n{listed}\n"
        f"{_HOW_TO_EXCLUDE.capitalize()}, or raise HEADWAY_MAX_SNAPSHOT_BYTES."
    )


def _refuse_count(plan: SnapshotPlan, max_files: int, *, complete: bool) -> None:
    paths = [*(file.path for file in plan.files), *plan.links, *plan.folders]
    listed = "\n".join(f"  {count:,}  {path}" for path, count in _heaviest(dict.fromkeys(paths, 1)))
    raise SnapshotError(
        f"the source directory {str(plan.source)!r} holds {'' if complete else 'more than '}"
        f"{len(paths):,} files and folders: at most {max_files:,} are kept with a run. The most "
        f"are in:\n{listed}\n"
        f"{_HOW_TO_EXCLUDE.capitalize()}, or raise HEADWAY_MAX_SNAPSHOT_FILES."
    )


def _heaviest(weights: dict[str, int]) -> list[tuple[str, int]]:
    """The ten files or folders that weigh most; none lies in another, and each says something.

    A folder of which most is one thing in it says less than that thing.
    """
    total = Counter(weights)
    heaviest_inside: Counter[str] = Counter()
    for path, weight in weights.items():
        for parent in _parents(path):
            total[parent] += weight
    for path, weight in total.items():
        parent = next(_parents(path), "")
        heaviest_inside[parent] = max(heaviest_inside[parent], weight)
    picked: list[tuple[str, int]] = []
    for path, weight in total.most_common():
        inside = any(path.startswith(above) for above, _ in picked if above.endswith("/"))
        if not inside and heaviest_inside[path] <= 0.8 * weight:
            picked.append((path, weight))
            if len(picked) == _LISTED:
                break
    return picked


def _parents(path: str) -> Iterator[str]:
    """Every folder above, the nearest first, with a slash behind."""
    end = path.rstrip("/").rfind("/")
    while end > 0:
        yield path[: end + 1]
        end = path.rfind("/", 0, end)


def size_text(size_bytes: int) -> str:
    """A size for people, such as ``1.5 GiB``."""
    size = float(size_bytes)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
