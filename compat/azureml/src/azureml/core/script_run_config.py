"""What to run."""

from headway import ScriptRunConfig as ScriptRunConfig
