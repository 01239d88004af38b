"""Folders that a run writes."""

from headway.sdk.output_dataset import OutputFileDatasetConfig as OutputFileDatasetConfig
