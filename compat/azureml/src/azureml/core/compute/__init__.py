"""Where runs are executed: this machine, also under the names of clusters."""

from azureml.core._absent import Absent
from azureml.exceptions import ComputeTargetException as ComputeTargetException
from headway import ComputeTarget as ComputeTarget
from headway.sdk.submission.compute_targets import AmlCompute as AmlCompute

AdlaCompute = Absent("AdlaCompute")
AksCompute = Absent("AksCompute")
BatchCompute = Absent("BatchCompute")
ComputeInstance = Absent("ComputeInstance")
DatabricksCompute = Absent("DatabricksCompute")
DataFactoryCompute = Absent("DataFactoryCompute")
DsvmCompute = Absent("DsvmCompute")
HDInsightCompute = Absent("HDInsightCompute")
KubernetesCompute = Absent("KubernetesCompute")
RemoteCompute = Absent("RemoteCompute")
SynapseCompute = Absent("SynapseCompute")
