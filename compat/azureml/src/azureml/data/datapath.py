"""Paths of datastores, which are written as pairs here."""

from azureml.core._absent import Absent

DataPath = Absent("azureml.data.datapath.DataPath")
