"""What is measured of every run stays apart from what a run logs itself."""

from headway import Experiment


def test_what_was_measured_is_given_by_name_only(experiment: Experiment) -> None:
    with experiment.start_logging() as run:
        run.log("loss", 0.5)
        run.log("system/cpu_percent", 93.0)
    assert run.get_metrics() == {"loss": 0.5}
    assert run.get_metrics(recursive=True) == {run.id: {"loss": 0.5}}
    assert run.get_metrics("system/cpu_percent") == {"system/cpu_percent": 93.0}


def test_a_run_of_which_there_are_only_measurements_has_logged_nothing(
    experiment: Experiment,
) -> None:
    with experiment.start_logging() as run:
        run.log("system/memory_bytes", 1)
    assert run.get_metrics() == {}
    assert run.get_metrics(recursive=True) == {}
