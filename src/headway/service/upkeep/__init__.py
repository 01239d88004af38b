"""The life of data: what goes to the trash, what leaves it, what nobody needs any more."""
