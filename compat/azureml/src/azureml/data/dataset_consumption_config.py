"""Datasets that a run reads."""

from headway.sdk.dataset_inputs import DatasetConsumptionConfig as DatasetConsumptionConfig
