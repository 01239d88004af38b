"""What runs a user's program: standard library only, started anew for each run."""
