"""Paths of datastores."""

from headway import DataReference as DataReference
