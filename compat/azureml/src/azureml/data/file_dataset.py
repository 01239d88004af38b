"""Datasets that are files."""

from headway.sdk.file_dataset import FileDataset as FileDataset
