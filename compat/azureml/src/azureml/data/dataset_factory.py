"""How datasets are made."""

from headway.sdk.file_dataset import FileDatasetFactory as FileDatasetFactory
from headway.sdk.tabular_dataset import DataType as DataType
from headway.sdk.tabular_dataset import TabularDatasetFactory as TabularDatasetFactory
