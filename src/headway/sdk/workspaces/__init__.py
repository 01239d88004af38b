"""Workspaces: found, opened, named; how runs are looked for in them, and secrets."""
