"""What to run, and where: scripts, run configurations, compute targets."""
