"""Registered models."""

from azureml.core._absent import Absent
from headway import Model as Model

InferenceConfig = Absent("azureml.core.model.InferenceConfig")
