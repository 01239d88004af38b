"""What of a source directory is kept with a run: a tree of files addressed by their content.

``plan_snapshot`` decides what belongs to it, ``SnapshotStore.take`` keeps it, and
``SnapshotStore.materialize`` makes the directory again; ``git_properties`` is what Git knows of
it. Not needed to submit a run, and so not imported here: ``headway.snapshots.archive`` makes a zip
file of a snapshot, ``headway.snapshots.diff`` says what changed between two.
"""

from headway.snapshots.blobs import Blob
from headway.snapshots.git import git_properties, mask_credentials
from headway.snapshots.plan import SnapshotPlan, plan_snapshot
from headway.snapshots.store import SnapshotStore
from headway.snapshots.tree import Entry, Manifest

__all__ = [
    "Blob",
    "Entry",
    "Manifest",
    "SnapshotPlan",
    "SnapshotStore",
    "git_properties",
    "mask_credentials",
    "plan_snapshot",
]
