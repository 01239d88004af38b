"""What users hold: workspaces, experiments and runs, thin over ``headway.api``.

``handles`` has the classes themselves and how they lead to one another; ``workspace``,
``experiment``, ``run_state``, ``run_metrics`` and ``run_files`` have what each does by itself;
``session`` is this process's part in its runs.
"""
