"""What is made of stored points: arrays, tables, charts, and results that are files."""
