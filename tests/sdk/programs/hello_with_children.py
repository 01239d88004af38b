"""Makes five children of its run and logs a metric in each."""

# ruff: noqa: T201  (it prints)

from headway import Run

run = Run.get_context()
children = run.create_children(count=5)
for number, child in enumerate(children):
    child.log(name="Hello from child run", value=number)
print(f"Hello from {run.id}: {len(children)} children")
