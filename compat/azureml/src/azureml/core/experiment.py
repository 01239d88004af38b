"""Experiments."""

from azureml._restclient.constants import ViewType as ViewType
from headway import Experiment as Experiment
