"""An embedded workspace: ``Api`` over a folder, in this process.

``workspace`` puts it together; the other modules hold one part each. ``transitions`` is the only
code of Headway that changes a run's status.
"""
