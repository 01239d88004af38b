"""Data given to a program."""

import json
from pathlib import Path
from typing import Any

import pytest

from headway import (
    AssetNotFoundError,
    DataReference,
    Dataset,
    Datastore,
    Experiment,
    InvalidValueError,
    ScriptRunConfig,
    UnsupportedError,
)
from headway.sdk.data.data_path import DataPath
from headway.sdk.data.data_reference import DataReferenceConfiguration
from headway.sdk.data.inputs import input_datasets, output_datasets, with_inputs
from headway.sdk.data.output_dataset import OutputFileDatasetConfig

SCRIPT = """
import json, os, sys
from headway import Run
from headway.sdk.data.inputs import input_datasets, output_datasets

run = Run.get_context()
inputs = input_datasets(run.experiment.workspace)
outputs = output_datasets()
open(os.path.join(outputs["made"], "out.txt"), "w").write("made")
seen = {
    "arguments": sys.argv[1:],
    "table": len(inputs["titanic"].to_pandas_dataframe()),
    "files": sorted(os.listdir(inputs["files"])),
    "variables": [os.environ["AZUREML_DATAREFERENCE_raw"], os.environ["files"]],
}
print(json.dumps(seen))
"""


@pytest.fixture
def config(experiment: Experiment) -> ScriptRunConfig:
    """A program that is given everything."""
    store = experiment.workspace.get_default_datastore()
    for name in ("a.csv", "b.csv"):
        Path(name).write_text("x\n1\n2\n")
        store.upload_files([name], target_path="raw", show_progress=False)
    table = Dataset.Tabular.from_delimited_files((store, "raw/*.csv"))
    files = Dataset.File.from_files((store, "raw"))
    Path("source").mkdir()
    Path("source", "train.py").write_text(SCRIPT)
    arguments = [
        store.path("raw", "raw").as_mount(),
        table.as_named_input("titanic"),
        files.as_named_input("files").as_download(),
        f"--data={store.path('raw', 'raw')}",
        OutputFileDatasetConfig("made", (store, "results/{run-id}")),
    ]
    return ScriptRunConfig("source", "train.py", arguments)


def test_a_program_finds_its_data(experiment: Experiment, config: ScriptRunConfig) -> None:
    run = experiment.submit(config)
    run.wait_for_completion()
    with_log = Path("log")
    run.download_file("user_logs/std_log.txt", with_log)
    seen = json.loads(with_log.read_text().splitlines()[-1])
    store = experiment.workspace.folder / "datastores" / "workspaceblobstore"
    raw, made = str(store / "raw"), store / "results" / run.id
    assert seen["table"] == 4
    assert seen["files"] == ["a.csv", "b.csv"]
    assert seen["variables"] == [raw, raw]
    first, dataset_id, files, text, output = seen["arguments"]
    assert (first, files, text, output) == (raw, raw, f"--data={raw}", str(made))
    found = Dataset.get_by_id(experiment.workspace, dataset_id)
    assert found.name is None
    assert experiment.workspace.datasets == {}
    assert (made / "out.txt").read_text() == "made"
    assert isinstance(config.arguments[0], DataReference)  # the configuration can be used again
    details: Any = run.get_details()
    told = {one["consumptionDetails"]["inputName"]: one for one in details["inputDatasets"]}
    assert told["titanic"] == {
        "dataset": {"id": dataset_id},
        "consumptionDetails": {
            "type": "RunInput",
            "inputName": "titanic",
            "mechanism": "Direct",
        },
    }
    assert told["files"]["consumptionDetails"]["mechanism"] == "Download"
    assert told["files"]["consumptionDetails"]["pathOnCompute"] == raw
    assert Dataset.get_by_id(experiment.workspace, told["files"]["dataset"]["id"])
    assert details["outputDatasets"] == [
        {"outputType": "RunOutput", "outputDetails": {"outputName": "made"}, "path": str(made)}
    ]


def test_a_reference_of_the_run_configuration_is_a_variable(experiment: Experiment) -> None:
    store = experiment.workspace.get_default_datastore()
    config = ScriptRunConfig(".", command=["echo", "$AZUREML_DATAREFERENCE_mine/x"])
    config.run_config.data_references = {"mine": store.path("there").as_upload()}
    resolved = with_inputs(experiment.workspace, config, "id")
    path = store.path("there").as_upload().resolve()
    assert resolved.command == ["echo", f"{path}/x"]
    assert resolved.run_config.environment_variables == {"AZUREML_DATAREFERENCE_mine": str(path)}
    assert config.run_config.environment_variables == {}


def test_a_reference_may_name_its_datastore(experiment: Experiment) -> None:
    store = experiment.workspace.get_default_datastore()
    config = ScriptRunConfig(".", command=["echo", "$AZUREML_DATAREFERENCE_mine"])
    named = DataReferenceConfiguration(store.name, "upload", "there")
    config.run_config.data_references = {"mine": named}
    resolved = with_inputs(experiment.workspace, config, "id")
    assert resolved.command == ["echo", str(store.path("there").as_upload().resolve())]
    config.run_config.data_references = {"mine": DataReferenceConfiguration("nowhere")}
    with pytest.raises(AssetNotFoundError, match="there is no datastore 'nowhere'"):
        with_inputs(experiment.workspace, config, "id")


def test_a_data_path_is_taken_where_a_pair_is(experiment: Experiment) -> None:
    store = experiment.workspace.get_default_datastore()
    Path("a.csv").write_text("x\n1\n")
    store.upload_files(["a.csv"], target_path="raw", show_progress=False)
    table = Dataset.Tabular.from_delimited_files(DataPath(store, "raw/a.csv"))
    assert len(table.to_pandas_dataframe()) == 1
    assert Dataset.File.from_files(DataPath(store)).to_path() == ["/raw/a.csv"]


def test_data_that_makes_no_sense_is_refused(experiment: Experiment) -> None:
    ws = experiment.workspace
    Path("a.csv").write_text("x\n1\n")
    table = Dataset.Tabular.from_delimited_files("a.csv")
    files = Dataset.File.from_files("a.csv")
    store = ws.get_default_datastore()
    with pytest.raises(InvalidValueError, match="to_pandas_dataframe"):
        table.as_named_input("x").as_mount()
    for arguments, said in (
        ([table], "as_named_input"),
        ([table.as_named_input("x"), files.as_named_input("x")], "two inputs are called 'x'"),
        ([store.as_upload(), store.path("x").as_upload()], "two data references"),
        ([store.path("nowhere")], "nowhere"),
    ):
        with pytest.raises(InvalidValueError, match=said):
            with_inputs(ws, ScriptRunConfig(".", "a.py", arguments), "id")
    with pytest.raises(InvalidValueError, match="input name"):
        files.as_named_input("a b")
    config = ScriptRunConfig(".", "a.py")
    config.run_config.data_references = {"x": 3}
    with pytest.raises(InvalidValueError, match="data reference 'x'"):
        with_inputs(ws, config, "id")


def test_one_file_can_be_an_input_by_its_path(experiment: Experiment) -> None:
    Path("a.csv").write_text("x\n1\n")
    Path("b.csv").write_text("x\n1\n")
    one = Dataset.File.from_files("a.csv", is_file=True)
    both = Dataset.File.from_files(["a.csv", "b.csv"])
    config = ScriptRunConfig(".", "a.py", [one.as_mount(), both.as_mount()])
    resolved = with_inputs(experiment.workspace, config, "id")
    assert resolved.arguments[0] == str(Path("a.csv").absolute())
    assert sorted(p.name for p in Path(str(resolved.arguments[1])).iterdir()) == ["a.csv", "b.csv"]


def test_outside_of_a_run_there_are_no_inputs(experiment: Experiment) -> None:
    assert input_datasets(experiment.workspace, {}) == {}
    assert output_datasets({}) == {}


def test_an_output_goes_to_a_folder_of_the_run_unless_told(experiment: Experiment) -> None:
    ws = experiment.workspace
    store = ws.folder / "datastores" / "workspaceblobstore"
    output = OutputFileDatasetConfig("made").as_mount().as_upload(overwrite=True)
    assert output.resolve(ws, "run-7") == store / "dataset" / "run-7" / "made"
    named = OutputFileDatasetConfig().name
    assert named != OutputFileDatasetConfig().name
    away = Datastore.register(ws, "away", f"memory://{ws.name}")
    with pytest.raises(InvalidValueError, match="outputs/"):
        OutputFileDatasetConfig("made", away).resolve(ws, "run-7")
    with pytest.raises(InvalidValueError, match="target"):
        OutputFileDatasetConfig("made", 3).resolve(ws, "run-7")
    with pytest.raises(UnsupportedError, match=r"Dataset\.File\.from_files"):
        output.register_on_complete("mine")


def test_inputs_that_are_paths_are_read_without_the_readers_of_tables(
    experiment: Experiment,
) -> None:
    Path("data").mkdir()
    Path("data/a.csv").touch()
    files = Dataset.File.from_files("data").as_named_input("x").as_direct().as_mount("/ignored")
    resolved = with_inputs(experiment.workspace, ScriptRunConfig(".", "a.py", [files]), "id")
    found = input_datasets(experiment.workspace, resolved.run_config.environment_variables)
    assert found == {"x": str(Path("data").absolute())}
