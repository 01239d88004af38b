"""What ``--json`` shows of runs and what belongs to them. Names stay; new ones may be added."""

from headway.model import Event, FileEntry, Run, SeriesSummary
from headway.sdk.runs.details import error_dict
from headway.sdk.times import iso_time

Document = dict[str, object]


def run_document(run: Run) -> Document:
    """A run; times are ISO 8601 in UTC, None where they are not reached."""
    started, ended = run.started_at, run.ended_at
    duration_s = (ended - started) / 1e6 if started is not None and ended is not None else None
    return {
        "id": run.id,
        "experiment": run.experiment_name,
        "number": run.number,
        "name": run.name,
        "status": str(run.status),
        "type": run.type,
        "parent_id": run.parent_id,
        "root_id": run.root_id,
        "description": run.description,
        "created_at": iso_time(run.created_at),
        "started_at": iso_time(started),
        "ended_at": iso_time(ended),
        "duration_s": duration_s,
        "target": run.target,
        "host": run.host,
        "created_by": run.created_by,
        "tags": dict(run.tags),
        "properties": dict(run.properties),
        "error": None if run.error is None else error_dict(run.error),
        "command": None if run.definition is None else list(run.definition.command),
        "source_directory": None if run.definition is None else run.definition.source_directory,
        "snapshot_id": run.snapshot_id,
        "points_lost": run.points_lost,
        "deleted_at": iso_time(run.deleted_at),
    }


def event_document(event: Event) -> Document:
    """A change of a run's status."""
    return {
        "at": iso_time(event.at),
        "status": str(event.status),
        "previous": None if event.previous is None else str(event.previous),
        "actor": event.actor,
        "reason": event.reason,
    }


def file_document(entry: FileEntry) -> Document:
    """A file of a run."""
    return {
        "path": entry.path,
        "size_bytes": entry.size_bytes,
        "blake3": entry.blake3,
        "created_at": iso_time(entry.created_at),
    }


def summary_document(summary: SeriesSummary) -> Document:
    """A metric without its points."""
    return {
        "name": summary.name,
        "column": summary.column,
        "form": summary.form,
        "count": summary.count,
        "last": summary.last,
        "min": summary.minimum,
        "max": summary.maximum,
        "first_step": summary.first_step,
        "last_step": summary.last_step,
    }
