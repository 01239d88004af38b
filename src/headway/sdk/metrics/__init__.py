"""Metrics as users log and read them: points, arrays, charts, and results that are files."""
