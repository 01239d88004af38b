"""What was never part of the supported API."""

from azureml.core._absent import absent_module

raise absent_module(__name__)
