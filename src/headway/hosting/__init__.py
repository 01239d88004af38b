"""What this machine does for runs, whoever records them: folders, claims, programs."""
