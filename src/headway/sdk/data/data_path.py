"""``DataPath``: the pair of a datastore and a path in it, under a name of its own."""

from typing import NamedTuple

from headway.sdk.data.datastore import Datastore


class DataPath(NamedTuple):
    """A path of a datastore, wherever the pair ``(datastore, path)`` is taken."""

    datastore: Datastore
    path_on_datastore: str = ""
    """A file, a folder or a pattern; empty for all of the datastore."""
