import pytest
from tests.cli.conftest import Cli

from headway.api import Api
from headway.cli.opening import find_run, labels
from headway.errors import ExperimentNotFoundError, InvalidValueError, RunNotFoundError
from headway.model import NewRun

IDS = ("alpha_1", "alpha-2", "alpha.2_child", "other_3")


@pytest.fixture
def api(cli: Cli) -> Api:
    api = cli.workspace.api
    home, away = api.experiments.ensure("home"), api.experiments.ensure("away")
    api.runs.create(
        [
            NewRun(id=IDS[0], experiment_id=home.id),
            NewRun(id=IDS[1], experiment_id=home.id),
            NewRun(id=IDS[2], experiment_id=home.id, parent_id=IDS[0]),
        ]
    )
    api.runs.create([NewRun(id=IDS[3], experiment_id=away.id)])
    return api


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("alpha_1", "alpha_1"),
        ("alpha_", "alpha_1"),
        ("alpha-", "alpha-2"),
        ("alpha.", "alpha.2_child"),
        ("othe", "other_3"),
        ("latest", "other_3"),
    ],
)
def test_a_run_is_found_by_id_by_its_beginning_and_as_the_latest(
    api: Api, reference: str, meant: str
) -> None:
    assert find_run(api, reference).id == meant


def test_numbers_count_within_an_experiment(api: Api) -> None:
    assert find_run(api, "@3", "home").id == "alpha.2_child"
    assert find_run(api, "@1", "away").id == "other_3"


def test_the_latest_is_that_of_the_experiment_and_no_child(api: Api) -> None:
    assert find_run(api, "latest", "home").id == "alpha-2"


def test_an_exact_id_wins_over_longer_ones(api: Api) -> None:
    home = api.experiments.ensure("home")
    api.runs.create([NewRun(id="alpha_12", experiment_id=home.id)])
    assert find_run(api, "alpha_1").id == "alpha_1"


def test_an_ambiguous_beginning_lists_the_candidates(api: Api) -> None:
    with pytest.raises(RunNotFoundError, match="3 runs begin with 'alpha'") as caught:
        find_run(api, "alpha")
    for candidate in IDS[:3]:
        assert f"  {candidate}  NotStarted" in str(caught.value)


def test_many_candidates_are_cut(api: Api) -> None:
    home = api.experiments.ensure("home")
    api.runs.create([NewRun(id=f"many{n}", experiment_id=home.id) for n in range(30)])
    with pytest.raises(RunNotFoundError, match="and 20 more"):
        find_run(api, "many")


@pytest.mark.parametrize(
    "reference", ["alp", "", "x", "ALPHA_1", "alpha%", "alph'", "nothing", "ä" * 9]
)
def test_what_means_no_run_is_not_found(api: Api, reference: str) -> None:
    with pytest.raises(RunNotFoundError, match="there is no run"):
        find_run(api, reference)


@pytest.mark.parametrize("reference", ["@", "@x", "@-1", "@1.5", "@²"])
def test_what_is_no_number_is_refused(api: Api, reference: str) -> None:
    with pytest.raises(InvalidValueError, match="give a number"):
        find_run(api, reference, "home")


def test_a_number_needs_an_experiment(api: Api) -> None:
    with pytest.raises(InvalidValueError, match="--experiment"):
        find_run(api, "@1")


def test_a_number_that_is_not_there_is_not_found(api: Api) -> None:
    with pytest.raises(RunNotFoundError, match="there is no run @9 in experiment 'home'"):
        find_run(api, "@9", "home")


def test_an_unknown_experiment_names_those_there_are(api: Api) -> None:
    with pytest.raises(ExperimentNotFoundError, match="there are: away, home"):
        find_run(api, "latest", "hose")


def test_the_latest_of_nothing_is_not_found(cli: Cli) -> None:
    with pytest.raises(RunNotFoundError, match="no run in this workspace yet"):
        find_run(cli.workspace.api, "latest")


def test_labels_are_pairs_or_keys() -> None:
    assert labels("tag", ("a", "b=c", "d=", "e=f=g")) == {"a": None, "b": "c", "d": "", "e": "f=g"}


def test_a_label_without_key_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="'=x' has no key"):
        labels("tag", ("=x",))
