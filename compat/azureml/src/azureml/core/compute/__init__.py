"""Where runs are executed: this machine. There are no clusters to make."""

from azureml.core._absent import Absent
from azureml.exceptions import ComputeTargetException as ComputeTargetException
from headway import ComputeTarget as ComputeTarget

AdlaCompute = Absent("AdlaCompute")
AksCompute = Absent("AksCompute")
AmlCompute = Absent("AmlCompute")
BatchCompute = Absent("BatchCompute")
ComputeInstance = Absent("ComputeInstance")
DatabricksCompute = Absent("DatabricksCompute")
DataFactoryCompute = Absent("DataFactoryCompute")
DsvmCompute = Absent("DsvmCompute")
HDInsightCompute = Absent("HDInsightCompute")
KubernetesCompute = Absent("KubernetesCompute")
RemoteCompute = Absent("RemoteCompute")
SynapseCompute = Absent("SynapseCompute")
