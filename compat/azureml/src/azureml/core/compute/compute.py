"""Where runs are executed."""

from azureml.exceptions import ComputeTargetException as ComputeTargetException
from headway import ComputeTarget as ComputeTarget
