"""Datasets that are files."""

from headway.sdk.data.file_dataset import FileDataset as FileDataset
