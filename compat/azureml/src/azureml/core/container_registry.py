"""Container registries, which are not there."""

from azureml.core._absent import Absent

ContainerRegistry = Absent("ContainerRegistry")
