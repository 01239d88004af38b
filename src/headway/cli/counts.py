"""Numbers of things, in words."""


def counted(count: int, thing: str) -> str:
    """Such as ``1 run`` and ``2 runs``."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
