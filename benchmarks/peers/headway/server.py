"""``headway server``, with a token for whoever measures.

The arguments are its folder, its port and, where it is not SQLite, the URL of its database.
"""

import sys
from pathlib import Path
from typing import Final

from headway.cli import main
from headway.server.backends import Backends
from headway.server.registry import Registry

ROOT: Final = "server"
"""The folder of the server, in that of the store."""
TOKEN: Final = "token"
"""The file with the token, beside it."""


def _prepare(folder: Path, database: str) -> None:
    backends = Backends(folder / ROOT, database, patience_s=10.0)
    registry = Registry(backends.registry())
    code = registry.first_code()
    assert code is not None
    (folder / TOKEN).write_text(registry.redeem(code, note="benchmark").secret)
    registry.close()


if __name__ == "__main__":
    folder, port, *database = Path(sys.argv[1]), *sys.argv[2:]
    _prepare(folder, *database or [""])
    sys.argv = ["headway", "server", "--root", str(folder / ROOT), "--port", port]
    sys.argv += [word for url in database for word in ("--database", url)]
    main()
