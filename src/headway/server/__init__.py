"""A team's server: the table of operations over HTTP."""
