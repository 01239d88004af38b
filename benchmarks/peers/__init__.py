"""The same work for Headway and for its peers, each in an environment of its own.

``table.py`` names the peers. A folder each holds what is installed (``requirements.txt``, pinned)
and ``adapter.py``, which runs in the peer's environment and does the work through the peer's API.
"""
