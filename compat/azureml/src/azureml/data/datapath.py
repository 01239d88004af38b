"""Paths of datastores."""

from headway.sdk.data_path import DataPath as DataPath
