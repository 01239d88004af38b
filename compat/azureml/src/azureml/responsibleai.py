"""Dashboards of models, which are not there."""

from azureml.core._absent import absent_module

raise absent_module(__name__)
