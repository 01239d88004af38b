"""A step that registers what a step before it trained, if it is good enough."""

import argparse
import os
import sys
import traceback

import joblib

from azureml.core import Dataset, Datastore, Experiment, Model, Run, Workspace


def main():
    run = Run.get_context()
    if run.id.startswith("OfflineRun"):
        ws = Workspace.from_config()
        exp = Experiment(ws, os.environ.get("EXPERIMENT_NAME", "register"))
    else:
        ws = run.experiment.workspace
        exp = run.experiment
    parser = argparse.ArgumentParser("register")
    parser.add_argument("--model_name", type=str, default="ridge")
    args = parser.parse_args()

    os.makedirs("outputs", exist_ok=True)
    model_file = os.path.join("outputs", args.model_name + ".pkl")
    joblib.dump({"weights": [1, 2]}, model_file)
    run.log("mse", 0.1)
    if run.parent is not None:
        run.parent.log("mse", 0.1)
        run.parent.tag("build", "17")

    try:
        latest = Model(ws, name=args.model_name)
        print("there is version", latest.version, "with", latest.tags)
    except Exception as error:
        print("there is none yet:", type(error).__name__)
    model = Model.register(
        workspace=ws,
        model_path=model_file,
        model_name=args.model_name,
        tags={"run_id": run.id, "experiment_name": exp.name, "BuildId": "17"},
        properties={"mse": 0.1},
        description="what register.py made",
    )
    print("registered", model.name, model.version)
    run.upload_file(name=f"outputs/again/{args.model_name}.pkl", path_or_stream=model_file)
    again = run.register_model(
        model_name=args.model_name,
        model_path=f"outputs/again/{args.model_name}.pkl",
        tags={"run_id": run.id},
    )
    assert again.version == model.version + 1
    path = Model.get_model_path(args.model_name, _workspace=ws)
    assert joblib.load(path) == {"weights": [1, 2]}, path
    [found] = Model.list(ws, name=args.model_name, latest=True)
    assert found.id == f"{args.model_name}:{again.version}"
    assert args.model_name in ws.models
    assert isinstance(ws.get_default_datastore(), Datastore)
    assert Dataset is not None
    target = found.download(target_dir="downloaded", exist_ok=True)
    assert joblib.load(target) == {"weights": [1, 2]}, target


if __name__ == "__main__":
    try:
        main()
    except Exception:
        traceback.print_exc(limit=None, file=sys.stdout)
        sys.exit(1)
