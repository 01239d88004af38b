"""A workspace on a server: ``Api`` over HTTP."""
