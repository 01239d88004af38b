"""What a run does: its record and state, its life, its files, its children, what it leads to."""
