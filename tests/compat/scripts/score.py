"""A script that reads files and a model that was registered."""

import argparse
import os

import joblib

from azureml.core.model import Model
from azureml.core.run import Run

parser = argparse.ArgumentParser()
parser.add_argument("--pictures", type=str, dest="pictures")
args = parser.parse_args()

run = Run.get_context(allow_offline=False)
names = os.listdir(args.pictures)
run.log("pictures", len(names))
assert sorted(os.listdir(run.input_datasets["pictures"])) == sorted(names)
joblib.dump([1, 2, 3], "numbers.pkl")
Model.register(run.experiment.workspace, model_path="numbers.pkl", model_name="numbers")
assert joblib.load(Model.get_model_path("numbers")) == [1, 2, 3]
print(os.environ["AZUREML_RUN_ID"], run.id, os.environ["AZUREML_OUTPUT_DIRECTORY"])
