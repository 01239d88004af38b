"""What the script of data.py does with what it is given."""

import argparse
import os

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--folder", type=str)
parser.add_argument("--table", type=str)
args = parser.parse_args()

run = Run.get_context()
frame = run.input_datasets["table"].to_pandas_dataframe()
run.log("rows", len(frame))
run.log("files", len(os.listdir(args.folder)))
print(frame.describe())
