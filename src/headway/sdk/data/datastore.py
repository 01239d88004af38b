"""``Datastore``: a place for data that a workspace knows by name."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import ClassVar, Final, NoReturn, cast

from headway.assets import Asset, AssetQuery, NewAsset
from headway.data.places import Folder, Place, files_below
from headway.data.remote import is_url, open_place
from headway.errors import AssetNotFoundError, ConflictError, InvalidValueError
from headway.model import WorkspaceChange
from headway.sdk.data.data_reference import DataReference
from headway.sdk.display import Displayed
from headway.sdk.interactive.process import say
from headway.sdk.unsupported import refuse
from headway.sdk.workspaces.workspace import WorkspaceBase

DEFAULT_NAME: Final = "workspaceblobstore"
BUILT_IN: Final = (DEFAULT_NAME, "workspacefilestore")
"""Each a folder of the workspace, there from the beginning."""

_INSTEAD: Final = (
    "register a folder or an address that fsspec reads, with Datastore.register(workspace, name, "
    "url), such as 'abfs://container@account.dfs.core.windows.net/folder' or 's3://bucket/folder'"
)


class Datastore(Displayed):
    """A place for data that a workspace knows by name: a folder, or an address.

    Args:
        workspace: The workspace.
        name: Its name; None for the default one.

    Raises:
        AssetNotFoundError: There is none of that name.

    Attributes:
        workspace: The workspace.
        name: Its name.
        url: The folder or address.
    """

    _inner = frozenset({"place", "resolve"})
    datastore_type: ClassVar[str] = "Headway"

    def __init__(self, workspace: WorkspaceBase, name: str | None = None) -> None:
        self.workspace = workspace
        self.name = name or workspace.session.api.info().default_datastore or DEFAULT_NAME
        self.url = _url_of(workspace, self.name)

    @property
    def is_default(self) -> bool:
        """Whether ``Workspace.get_default_datastore`` returns it."""
        return self.name == Datastore(self.workspace).name

    # ------------------------------------------------------------ data

    def upload(
        self,
        src_dir: str | Path,
        target_path: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> DataReference:
        """Copy all files below a folder into the datastore, with their structure.

        Args:
            src_dir: The folder.
            target_path: The folder in the datastore; None for its top.
            overwrite: Whether files that are there are replaced; otherwise they are left.
            show_progress: Whether to say on standard error how many files were copied.
        """
        root = Path(src_dir).expanduser()
        if not root.is_dir():
            raise InvalidValueError(f"there is no folder {str(src_dir)!r} to upload: give one")
        files = [(path, path.relative_to(root).as_posix()) for path in files_below(root)]
        return self._upload(files, target_path, overwrite, show_progress)

    def upload_files(
        self,
        files: Sequence[str | Path],
        relative_root: str | Path | None = None,
        target_path: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> DataReference:
        """Copy files into the datastore.

        Args:
            files: Their paths.
            relative_root: What of their paths is left out of their names; None for all folders.
            target_path: The folder in the datastore; None for its top.
            overwrite: Whether files that are there are replaced; otherwise they are left.
            show_progress: Whether to say on standard error how many files were copied.
        """
        if isinstance(files, str):
            raise InvalidValueError(f"files were given as the string {files!r}: give a list")
        named = [_named(Path(file).expanduser(), relative_root) for file in files]
        return self._upload(named, target_path, overwrite, show_progress)

    def download(
        self,
        target_path: str | Path,
        prefix: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> int:
        """Copy files from the datastore to a folder, and return how many.

        Args:
            target_path: The folder; made where there is none.
            prefix: The file or folder in the datastore; None for all of it.
            overwrite: Whether files that are there are replaced; otherwise they are left.
            show_progress: Whether to say on standard error how many files were copied.
        """
        place = self.place()
        try:
            names = place.files(prefix or "")
        except InvalidValueError:
            names = []
        target = Folder(Path(target_path).expanduser())
        copied = _copy(((lambda n=n: place.local(n), n) for n in names), target, overwrite)
        if show_progress:
            say(f"downloaded {copied} of {len(names)} files from {self.name} to {target_path}")
        return copied

    def path(
        self, path: str | None = None, data_reference_name: str | None = None
    ) -> DataReference:
        """A reference to a file or folder, to be given to a program."""
        return DataReference(self, data_reference_name, path)

    def as_mount(self) -> DataReference:
        """A reference to all of it, to be used where it is."""
        return self.path().as_mount()

    def as_download(self, path_on_compute: str | None = None) -> DataReference:
        """A reference to all of it, to be read by a program."""
        return self.path().as_download(path_on_compute)

    def as_upload(self, path_on_compute: str | None = None) -> DataReference:
        """A reference to all of it, to be written to by a program."""
        return self.path().as_upload(path_on_compute)

    def place(self) -> Place:
        """What reads and writes it. For Headway's own use."""
        return open_place(self.url, self.workspace.data_cache)

    def resolve(self, path: str, *, for_writing: bool = False) -> Path:
        """The path on this machine of a file or folder. For Headway's own use."""
        place = self.place()
        if not isinstance(place, Folder):
            if for_writing:
                raise InvalidValueError(
                    f"datastore {self.name!r} is at {self.url}, where a program cannot write as "
                    "into a folder: have it write into outputs/, and upload that afterwards"
                )
            return place.local(path)
        found = place.local(path)
        if for_writing or not path:
            found.mkdir(parents=True, exist_ok=True)
        elif not found.exists():
            place.files(path)  # says that there is nothing
        return found

    def _upload(
        self,
        files: Sequence[tuple[Path, str]],
        target_path: str | None,
        overwrite: bool,
        show_progress: bool,
    ) -> DataReference:
        below = PurePosixPath(target_path or "")
        sources = (((lambda p=p: p), (below / name).as_posix()) for p, name in files)
        copied = _copy(sources, self.place(), overwrite)
        if show_progress:
            left = len(files) - copied
            said = f" ({left} were there already: overwrite=True replaces them)" if left else ""
            say(f"uploaded {copied} of {len(files)} files to {self.name}{said}")
        return self.path(target_path)

    # ------------------------------------------------------------ registered

    @staticmethod
    def get(workspace: WorkspaceBase, datastore_name: str) -> "Datastore":
        """The datastore of this name.

        Raises:
            AssetNotFoundError: There is none; the message names those that there are.
        """
        return Datastore(workspace, datastore_name)

    @staticmethod
    def get_default(workspace: WorkspaceBase) -> "Datastore":
        """The default one: a folder of the workspace, unless another was chosen."""
        return Datastore(workspace)

    @staticmethod
    def register(
        workspace: WorkspaceBase, name: str, url: str | Path, overwrite: bool = False
    ) -> "Datastore":
        """Give a folder or an address a name in the workspace.

        Args:
            workspace: The workspace.
            name: The name.
            url: A folder, or an address that fsspec reads: ``s3://bucket/folder``. It should hold
                no password; credentials come from where fsspec looks for them.
            overwrite: Whether the name may stand for another place so far.

        Raises:
            ConflictError: It does.
        """
        address = str(url) if is_url(str(url)) else str(Path(url).expanduser().absolute())
        known = _addresses(workspace).get(name)
        if known is not None and known != address and (name in BUILT_IN or not overwrite):
            raise ConflictError(
                f"datastore {name!r} is at {known} already: give another name"
                + ("" if name in BUILT_IN else ", or overwrite=True")
            )
        new = NewAsset(str(uuid.uuid4()), "datastore", name, definition={"url": address})
        workspace.api.assets.register(new)
        return Datastore(workspace, name)

    def set_as_default(self) -> None:
        """Have ``Workspace.get_default_datastore`` return it."""
        self.workspace.api.change(WorkspaceChange(default_datastore=self.name))

    def unregister(self) -> None:
        """Forget its name. The data stays where it is."""
        if self.name in BUILT_IN:
            raise InvalidValueError(f"datastore {self.name!r} belongs to every workspace: leave it")
        for one in self.workspace.api.assets.list(AssetQuery("datastore", name=self.name)):
            self.workspace.api.assets.delete(one.id)

    @staticmethod
    def register_azure_blob_container(*args: object, **kwargs: object) -> NoReturn:
        """Not supported; the error names what is."""
        refuse("Datastore.register_azure_blob_container", _INSTEAD)

    @staticmethod
    def register_azure_file_share(*args: object, **kwargs: object) -> NoReturn:
        """Not supported; the error names what is."""
        refuse("Datastore.register_azure_file_share", _INSTEAD)

    @staticmethod
    def register_azure_data_lake_gen2(*args: object, **kwargs: object) -> NoReturn:
        """Not supported; the error names what is."""
        refuse("Datastore.register_azure_data_lake_gen2", _INSTEAD)

    def _shown(self) -> dict[str, object]:
        return {"Name": self.name, "URL": self.url, "Workspace": self.workspace.name}

    def __repr__(self) -> str:
        return f"Datastore(name={self.name!r}, url={self.url!r})"


def datastores_of(workspace: WorkspaceBase) -> dict[str, Datastore]:
    """All datastores of a workspace by name."""
    return {name: Datastore(workspace, name) for name in _addresses(workspace)}


def target_of(target: object) -> tuple[Datastore, str | None]:
    """The datastore and the path in it that a user names as where to write.

    Raises:
        InvalidValueError: It is something else.
    """
    if isinstance(target, DataReference):
        store = target.datastore
        return Datastore(store.workspace, store.name), target.path_on_datastore
    parts = _parts(target)
    if 1 <= len(parts) <= 2 and isinstance(parts[0], Datastore):
        return parts[0], str(parts[1]) if len(parts) == 2 else None
    raise InvalidValueError(
        f"target was given as {type(target).__name__} {target!r}: give a datastore, or a pair "
        "(datastore, path)"
    )


def _parts(target: object) -> list[object]:
    return [*cast("list[object]", target)] if isinstance(target, tuple | list) else [target]


def _addresses(workspace: WorkspaceBase) -> dict[str, str]:
    query = AssetQuery("datastore", latest=True)
    built_in = {name: str(workspace.folder / "datastores" / name) for name in BUILT_IN}
    return built_in | {one.name: _address(one) for one in workspace.api.assets.list(query)}


def _url_of(workspace: WorkspaceBase, name: str) -> str:
    known = _addresses(workspace)
    if name not in known:
        raise AssetNotFoundError(
            f"there is no datastore {name!r} in this workspace; there are: "
            f"{', '.join(map(repr, known))}"
        )
    return known[name]


def _address(asset: Asset) -> str:
    return str(asset.definition["url"])


def _named(file: Path, relative_root: str | Path | None) -> tuple[Path, str]:
    if not file.is_file():
        raise InvalidValueError(f"there is no file {str(file)!r} to upload: give one that exists")
    if relative_root is None:
        return file, file.name
    root = Path(relative_root).expanduser().absolute()
    if not file.absolute().is_relative_to(root):
        raise InvalidValueError(
            f"{str(file)!r} is not below relative_root {str(relative_root)!r}: give a folder that "
            "all files are in"
        )
    return file, file.absolute().relative_to(root).as_posix()


def _copy(files: Iterable[tuple[Callable[[], Path], str]], place: Place, overwrite: bool) -> int:
    copied = 0
    for source, name in files:
        if overwrite or not place.has(name):
            place.put(source(), name)
            copied += 1
    return copied
