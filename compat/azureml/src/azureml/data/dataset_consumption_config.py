"""Datasets that a run reads."""

from headway.sdk.data.dataset_inputs import DatasetConsumptionConfig as DatasetConsumptionConfig
