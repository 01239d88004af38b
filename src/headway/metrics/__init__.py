"""Metric points: written to journals, read back as columns, kept as compressed chunks."""
