"""One place in an object store, through obstore: S3, Azure, Google Cloud, a folder, or memory.

Objects appear whole or not at all, and are never changed. What the store says is told as an error
of Headway that says what to do. Credentials come from the environment, as obstore finds them
(``AWS_ACCESS_KEY_ID``, ``AZURE_STORAGE_ACCOUNT_NAME``, ``GOOGLE_SERVICE_ACCOUNT`` ..., or the
machine's own role).
"""

import io
import queue
import secrets
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, cast

from headway.errors import (
    ConfigurationError,
    MissingPackageError,
    NotFoundError,
    StorageBusyError,
    StorageError,
    StorageFullError,
)

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from obstore import ObjectMeta
    from obstore.store import ObjectStore as Client

PART_BYTES: Final = 8 << 20
"""What is sent in one request; more of an object whose size is known to need it."""
_MOST_PARTS: Final = 9_000
"""S3 takes 10,000."""
_AT_ONCE: Final = 3
"""Parts under way: with their copies, all that is held of a file."""
_READ_BYTES: Final = 1 << 20
_REQUEST_TIMEOUT: Final = timedelta(seconds=60)
"""For one request; a download that takes longer goes on with another one."""
_PATIENCE_S: Final = 60.0
_MOST_RETRIES: Final = 8
_LOOK_EVERY_S: Final = 0.1
"""How long it may take to notice that a sender has failed."""
_READINGS: Final = 5
"""How often a download goes on after it broke off without a byte."""
_NO_PLACE: Final = ("NoSuchBucket", "ContainerNotFound", "bucket does not exist", "NoSuchContainer")
_NO_SPACE: Final = ("QuotaExceeded", "InsufficientStorage", "507 ", "No space left", "os error 28")
_REFUSED: Final = ("403 Forbidden", "401 Unauthorized", "InvalidAccessKeyId", "AccessDenied")


class StoredObject(NamedTuple):
    """What a store says of an object."""

    path: str
    size_bytes: int
    modified_at: int
    """Microseconds since the epoch."""


class ObjectStore:
    """The objects below one address.

    Any thread may call; a child made by fork opens its own.

    Args:
        client: Obstore's, with the address as its prefix.
        address: The address, for messages.
    """

    def __init__(self, client: "Client", address: str) -> None:
        self._client = client
        self._address = address
        self._obstore = _library()

    def put(self, path: str, blocks: Iterable[bytes], *, size: int = 0) -> None:
        """Make an object of blocks, in place of an equal one.

        Where reading the blocks raises, nothing was made.

        Args:
            path: Its path.
            blocks: The content; three parts of it at most are held.
            size: About how many bytes come; 0 where that is not known, which is good for 70 GB.
        """
        part = max(PART_BYTES, size // _MOST_PARTS + 1)
        handing = _Handing()
        # In a thread of its own: what is sent may be read from this store, and obstore does not
        # let itself be called while it asks for the next block.
        with self._errors(path), ThreadPoolExecutor(1, thread_name_prefix="headway-put") as pool:
            sending = pool.submit(
                self._obstore.put,
                self._client,
                path,
                handing.blocks(),
                chunk_size=part,
                max_concurrency=_AT_ONCE,
            )
            handing.give(blocks, sending)
            sending.result()

    def put_whole(self, path: str, content: bytes) -> None:
        """Make an object of bytes, in place of an equal one, in one request."""
        with self._errors(path):
            self._obstore.put(self._client, path, content, use_multipart=False)

    def check(self) -> None:
        """Write, read and remove an object, as a server does before it begins.

        Raises:
            StorageError: The store does not let itself be used; the message says why.
        """
        path, content = f"headway-check-{secrets.token_hex(8)}", b"written to see whether it works"
        self.put_whole(path, content)
        found = self.read(path, 0, len(content))
        self.delete([path])
        if found != content:
            raise StorageError(f"what is written to {self._address} does not come back")

    def find(self, path: str) -> StoredObject | None:
        """What is there under a path."""
        try:
            with self._errors(path):
                return _told(self._obstore.head(self._client, path))
        except NotFoundError:
            return None

    def read(self, path: str, offset: int, size: int) -> bytes:
        """Exactly the bytes of a range, which must be there.

        Raises:
            NotFoundError: There is no such object.
        """
        if size == 0:
            return b""
        with self._errors(path):
            found = self._obstore.get_range(self._client, path, start=offset, length=size)
            return bytes(found)

    def open(self, path: str) -> BinaryIO:
        """An object as a stream that can seek; a download that breaks off is taken up again.

        Raises:
            NotFoundError: There is no such object.
        """
        return cast("BinaryIO", io.BufferedReader(_Download(self, path), _READ_BYTES))

    def copy(self, path: str, target: str) -> None:
        """Make an object of another one, within the store."""
        with self._errors(path):
            self._obstore.copy(self._client, path, target)

    def delete(self, paths: Iterable[str]) -> None:
        """Remove objects; one that is not there is no error."""
        gone = list(paths)
        if not gone:
            return
        with self._errors(gone[0]):
            try:
                self._obstore.delete(self._client, gone)
            except FileNotFoundError:  # from stores that tell; the others may be there still
                for path in gone:
                    self._delete_one(path)

    def below(self, folder: str) -> Iterator[StoredObject]:
        """Every object below a path, in no order."""
        with self._errors(folder):
            for batch in self._obstore.list(self._client, f"{folder}/"):
                for found in batch:
                    yield _told(found)

    def folders(self, folder: str) -> list[str]:
        """The names directly below a path that have objects below them."""
        with self._errors(folder):
            found = self._obstore.list_with_delimiter(self._client, f"{folder}/")
        return [str(name).rstrip("/").rpartition("/")[2] for name in found["common_prefixes"]]

    def blocks(self, path: str, offset: int) -> Generator[bytes]:
        """The content of an object from an offset on, as the store sends it."""
        with self._errors(path):
            got = self._obstore.get(self._client, path, options={"range": {"offset": offset}})
            for block in got.stream(_READ_BYTES):
                yield bytes(block)

    def _delete_one(self, path: str) -> None:
        try:
            self._obstore.delete(self._client, path)
        except FileNotFoundError:
            return

    @contextmanager
    def _errors(self, path: str) -> Generator[None]:
        kinds = self._obstore.exceptions
        try:
            yield
        except FileNotFoundError as error:
            raise self._failure(path, error, missing=True) from error
        except (kinds.BaseError, OSError) as error:
            raise self._failure(path, error) from error

    def _failure(
        self, path: str, error: Exception, *, missing: bool = False
    ) -> StorageError | NotFoundError:
        text = str(error)
        said = text.partition("\n")[0]
        place = f"{self._address.rstrip('/')}/{path}"
        kinds = self._obstore.exceptions
        refused = isinstance(error, kinds.PermissionDeniedError | kinds.UnauthenticatedError)
        if any(word in text for word in _NO_PLACE):
            return StorageError(
                f"there is no bucket or container at {self._address}: make it, or correct the "
                "address"
            )
        if missing:
            return NotFoundError(f"there is no object {place}")
        if refused or any(word in text for word in _REFUSED):
            return StorageError(
                f"the object store refused access to {place}: check that its credentials are in "
                f"the environment of this process, and may read and write there ({said})"
            )
        if any(word in text for word in _NO_SPACE):
            return StorageFullError(
                f"no space is left at {self._address}: free some or have the quota raised, then "
                f"do it again ({said})"
            )
        return StorageBusyError(
            f"the object store did not answer for {place} as it should, do it again later: {said}"
        )


def open_store(address: str, *, patience_s: float = _PATIENCE_S) -> ObjectStore:
    """The place at an address: ``s3://bucket/path``, ``az://...``, ``gs://...``, ``file:///...``.

    ``memory://`` is a new, empty place that this process alone sees.

    Args:
        address: The address.
        patience_s: How long requests that fail are repeated, in seconds.

    Raises:
        ConfigurationError: It is no such address.
        MissingPackageError: obstore is not installed.
    """
    obstore = _library()
    scheme = address.partition("://")[0]
    retries = {
        "max_retries": _MOST_RETRIES if patience_s else 0,
        "retry_timeout": timedelta(seconds=patience_s),
    }
    try:
        if scheme == "memory":
            client = obstore.store.from_url("memory:///")
        elif scheme == "file":
            client = obstore.store.from_url(address, mkdir=True)
        elif scheme in {"s3", "az", "gs"}:
            # Without TLS only where the environment names an endpoint that begins with http.
            options = {"timeout": _REQUEST_TIMEOUT, "allow_http": True}
            client = obstore.store.from_url(address, client_options=options, retry_config=retries)
        else:
            raise ValueError("the scheme is not known")
    except (obstore.exceptions.BaseError, ValueError, OSError) as error:
        said = str(error).partition("\n")[0]
        raise ConfigurationError(
            f"{address!r} is no place for files ({said}): give s3://BUCKET/PATH, "
            "az://CONTAINER/PATH, gs://BUCKET/PATH or a folder"
        ) from error
    return ObjectStore(client, address)


def _library() -> ModuleType:
    try:
        import obstore  # noqa: PLC0415  (an extra, and seldom needed)
    except ImportError as error:
        raise MissingPackageError(
            "files in an object store need the package obstore: pip install 'headway[server]'"
        ) from error
    return obstore


def _told(found: "ObjectMeta") -> StoredObject:
    modified: datetime = found["last_modified"]
    return StoredObject(found["path"], found["size"], int(modified.timestamp() * 1e6))


class _Handing:
    """Blocks that one thread reads and another one sends, a few of them on the way."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[bytes | None] = queue.Queue(maxsize=2)
        self._broken = False

    def give(self, blocks: Iterable[bytes], sending: Future[object]) -> None:
        """Read all blocks; where that raises, the sender is told to give up, and has."""
        try:
            for block in blocks:
                if not self._put(block, sending):
                    return
        except BaseException:
            self._broken = True
            self._put(None, sending)
            sending.exception()
            raise
        self._put(None, sending)

    def blocks(self) -> Iterator[bytes]:
        """What was given, for the sender."""
        while (block := self._waiting.get()) is not None:
            yield block
        if self._broken:
            raise EOFError("the source broke off")

    def _put(self, block: bytes | None, sending: Future[object]) -> bool:
        """Whether the sender takes it; one that has failed takes nothing more."""
        while not sending.done():
            with suppress(queue.Full):
                self._waiting.put(block, timeout=_LOOK_EVERY_S)
                return True
        return False


class _Download(io.RawIOBase):
    """An object, read in order while nobody seeks; each request goes on where the last ended."""

    def __init__(self, store: ObjectStore, path: str) -> None:
        super().__init__()
        found = store.find(path)
        if found is None:
            raise NotFoundError(f"there is no object {path}")
        self._store = store
        self._path = path
        self._size = found.size_bytes
        self._at = 0
        self._blocks: Iterator[bytes] | None = None
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"{base + offset} is before the beginning")
        if base + offset != self._at:
            self._at, self._blocks, self._left = base + offset, None, memoryview(b"")
        return self._at

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        if self._at >= self._size or not view:
            return 0
        if not self._left:
            self._left = memoryview(self._next())
        count = min(len(view), len(self._left))
        view[:count] = self._left[:count]
        self._left = self._left[count:]
        self._at += count
        return count

    def _next(self) -> bytes:
        for reading in range(_READINGS):
            if self._blocks is None:
                self._blocks = self._store.blocks(self._path, self._at)
            try:
                block = next(self._blocks, b"")
            except StorageBusyError:
                if reading == _READINGS - 1:
                    raise
                block = b""
            if block:
                return block
            self._blocks = None  # it ended too early, or broke off
        raise StorageBusyError(
            f"the download of {self._path} broke off at byte {self._at} of {self._size}: do it "
            "again later"
        )
