"""Workspaces."""

from azureml.exceptions import WorkspaceException as WorkspaceException
from headway import Workspace as Workspace
