"""Images of models, which are not there: the names can be imported, and say so when used."""

from azureml.core._absent import Absent

ContainerImage = Absent("ContainerImage")
Image = Absent("Image")
