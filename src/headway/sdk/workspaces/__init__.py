"""Workspaces and experiments: found, opened, named; what a workspace keeps besides runs."""
