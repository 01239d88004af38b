"""The process that is a run itself: its sessions, what it prints and leaves behind, how it ends."""
