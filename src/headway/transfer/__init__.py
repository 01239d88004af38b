"""Workspaces on their way elsewhere: backups, exports and imports, moves between databases."""
