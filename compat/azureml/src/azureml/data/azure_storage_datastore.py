"""Datastores in Azure, which are not there: ``isinstance`` says no."""

from azureml.core._absent import Absent

AzureBlobDatastore = Absent("AzureBlobDatastore")
AzureFileDatastore = Absent("AzureFileDatastore")
