"""Folders that a run writes."""

from headway.sdk.data.output_dataset import OutputFileDatasetConfig as OutputFileDatasetConfig
