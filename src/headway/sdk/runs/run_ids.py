"""Ids of runs: made by us before anything is written."""

import os
import re
import time
import uuid

OFFLINE_PREFIX = "OfflineRun_"
_EXPERIMENT_CHARS = 100
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_.\-]+")


def new_run_id(prefix: str = "") -> str:
    """The id of an interactive run."""
    return f"{prefix}{uuid.uuid4()}"


def submitted_run_id(experiment: str, now_s: float | None = None, salt: str | None = None) -> str:
    """The id of a submitted run: ``<experiment>_<seconds since 1970>_<8 hex digits>``.

    Args:
        experiment: Its name; what an id cannot hold becomes ``-``.
        now_s: The time; None for now.
        salt: The digits; None for random ones.
    """
    slug = _NOT_IN_IDS.sub("-", experiment).strip("-_.")[:_EXPERIMENT_CHARS] or "run"
    now_s = time.time() if now_s is None else now_s
    return f"{slug}_{int(now_s)}_{salt or os.urandom(4).hex()}"
