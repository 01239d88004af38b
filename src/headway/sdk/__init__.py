"""What users hold: workspaces, experiments and runs, thin over ``headway.api``.

``handles`` has the classes themselves and how they lead to one another; what each does by itself
stands in a folder: ``workspaces``, ``runs``, ``metrics``. ``interactive`` is this process's part in
its runs, ``submission`` what is run elsewhere; ``data``, ``environments`` and ``models`` are what
both use.
"""
