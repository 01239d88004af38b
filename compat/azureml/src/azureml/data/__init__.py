"""Data: datasets, and paths that a program is given."""

from headway.sdk.data.file_dataset import FileDataset as FileDataset
from headway.sdk.data.output_dataset import OutputFileDatasetConfig as OutputFileDatasetConfig
from headway.sdk.data.tabular_dataset import DataType as DataType
from headway.sdk.data.tabular_dataset import TabularDataset as TabularDataset
