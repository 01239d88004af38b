"""Registered models, environments, datasets and datastores."""

from typing import Final

from headway.assets import Asset, UploadSource
from headway.errors import InvalidValueError
from headway.server.context import Context
from headway.server.handlers.binding import bind, bind_stream
from headway.wire import assets as row
from headway.wire.operation import Done


def _register(context: Context, ask: row.RegisterAsset) -> Asset:
    if ask.of_run is not None and ask.uploads is not None:
        raise InvalidValueError("both of_run and uploads were given: give one of them, or none")
    source = ask.of_run if ask.uploads is None else UploadSource(ask.uploads)
    return context.api.assets.register(ask.new, source)


def _delete(context: Context, ask: row.AssetRequest) -> Done:
    context.api.assets.delete(ask.asset_id)
    return Done()


HANDLERS: Final = (
    bind(row.REGISTER, _register),
    bind(row.GET, lambda c, ask: c.api.assets.get(ask.kind, ask.name, ask.version)),
    bind(row.FIND, lambda c, ask: c.api.assets.find(ask.asset_id)),
    bind(row.CHANGE, lambda c, ask: c.api.assets.change(ask.asset_id, ask.change)),
    bind(row.DELETE, _delete),
    bind(row.FILES, lambda c, ask: c.api.assets.files(ask.asset_id)),
    bind_stream(row.OPEN, lambda c, ask: c.api.assets.open(ask.asset_id, ask.path)),
    bind(row.LIST, lambda c, ask: c.api.assets.list(ask)),
)
