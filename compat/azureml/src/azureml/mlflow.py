"""MLflow over a workspace, which is not there."""

from azureml.core._absent import absent_module

raise absent_module(__name__)
