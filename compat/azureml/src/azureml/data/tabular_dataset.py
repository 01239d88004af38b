"""Datasets that are tables."""

from headway.sdk.tabular_dataset import TabularDataset as TabularDataset
