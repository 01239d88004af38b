"""What each operation of the table does: calls of ``headway.api``, one file an area."""
