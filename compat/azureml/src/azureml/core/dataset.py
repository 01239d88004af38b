"""Datasets."""

from headway import Dataset as Dataset
