"""What users hold: workspaces, experiments and runs, thin over ``headway.api``.

``handles`` has the classes themselves and how they lead to one another. What each does by itself
stands below it, each folder knowing only those before it: ``metrics`` (arrays and charts),
``interactive`` (this process's part in its runs), ``workspaces``, ``models``, ``environments``,
``submission`` (what is run elsewhere), ``data``, ``runs``; then ``workspace_assets`` and
``experiment``.
"""
