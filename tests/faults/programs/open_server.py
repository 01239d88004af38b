"""A server that lets everybody do everything: its folder and its port are the arguments."""

import sys
from pathlib import Path

from tests.server.serving import ADMIN, Everyone

from headway.server.app import make_app
from headway.server.backends import Backends
from headway.server.listening import Listener
from headway.server.stopping import Stopping
from headway.server.workspaces import Hub
from headway.settings import load_settings

root, port = Path(sys.argv[1]), int(sys.argv[2])
stopping = Stopping()
hub = Hub(Backends(root, patience_s=10.0), load_settings())
app = make_app(hub, Everyone(ADMIN), stopping=stopping)
listener = Listener(app, host="127.0.0.1", port=port, stopping=stopping)
print(listener.url, flush=True)  # noqa: T201
listener.run()
