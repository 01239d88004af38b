"""Files kept under a name, in versions."""
