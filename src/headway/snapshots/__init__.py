"""What of a source directory is kept with a run: a tree of files addressed by their content.

``plan_snapshot`` decides what belongs to it, ``SnapshotStore.take`` keeps it, and
``SnapshotStore.materialize`` makes the directory again.
"""

from headway.snapshots.plan import SnapshotPlan, plan_snapshot
from headway.snapshots.store import SnapshotStore
from headway.snapshots.tree import Entry, Manifest

__all__ = ["Entry", "Manifest", "SnapshotPlan", "SnapshotStore", "plan_snapshot"]
