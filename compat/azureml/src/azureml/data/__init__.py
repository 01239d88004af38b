"""Data: datasets, and paths that a program is given."""

from headway.sdk.file_dataset import FileDataset as FileDataset
from headway.sdk.output_dataset import OutputFileDatasetConfig as OutputFileDatasetConfig
from headway.sdk.tabular_dataset import DataType as DataType
from headway.sdk.tabular_dataset import TabularDataset as TabularDataset
