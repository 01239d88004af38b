"""What Headway costs: ``python -m benchmarks`` measures it and prints one table.

``docs/benchmarks.md`` says what each line means.
"""
