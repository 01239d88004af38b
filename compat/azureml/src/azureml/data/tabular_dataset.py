"""Datasets that are tables."""

from headway.sdk.data.tabular_dataset import TabularDataset as TabularDataset
