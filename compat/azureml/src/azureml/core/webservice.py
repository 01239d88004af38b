"""Deployed models, which are not there: the names can be imported, and say so when used."""

from azureml.core._absent import Absent

AciWebservice = Absent("AciWebservice")
AksEndpoint = Absent("AksEndpoint")
AksWebservice = Absent("AksWebservice")
LocalWebservice = Absent("LocalWebservice")
Webservice = Absent("Webservice")
