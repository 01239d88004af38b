"""Submitted runs."""

from headway import ScriptRun as ScriptRun
