"""Paths of datastores."""

from headway.sdk.data.data_path import DataPath as DataPath
