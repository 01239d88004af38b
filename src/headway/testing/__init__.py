"""Contract suites and fakes, shipped so that a new backend is tested by naming it. Needs pytest."""
