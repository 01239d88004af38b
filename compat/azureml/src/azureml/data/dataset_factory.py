"""How datasets are made."""

from headway.sdk.data.file_dataset import FileDatasetFactory as FileDatasetFactory
from headway.sdk.data.tabular_dataset import DataType as DataType
from headway.sdk.data.tabular_dataset import TabularDatasetFactory as TabularDatasetFactory
