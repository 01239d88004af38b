"""Datastores."""

from headway import Datastore as Datastore
