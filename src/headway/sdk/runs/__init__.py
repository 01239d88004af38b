"""What a run does: its record and state, its metrics and files, its children, how it ends."""
