"""What every database must do; subclass ``StoreContract`` and give it a ``database`` fixture."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from headway.errors import StorageError
from headway.model import Experiment, MetricQuery, NewRun, Run, RunQuery, SeriesSummary, Status
from headway.store import experiments, labels, runs, search, series, writers
from headway.store.base import Database, Transaction
from headway.store.runs import StoredRun
from headway.store.search import Search


class StoreContract:
    """Transactions, and the statements of ``headway.store`` over them."""

    @pytest.fixture
    def database(self) -> Iterator[Database]:
        """An empty database with the current schema."""
        raise NotImplementedError("give a fixture 'database' that yields an empty database")

    def test_what_is_written_is_read(self, database: Database) -> None:
        with database.write() as tx:
            experiments.insert(tx, Experiment(id="e", name="one", created_at=1))
        with database.read() as tx:
            found = experiments.by_id(tx, "e")
        assert found == Experiment(id="e", name="one", created_at=1)

    def test_an_error_undoes_the_whole_transaction(self, database: Database) -> None:
        def fail_after_writing() -> None:
            with database.write() as tx:
                experiments.insert(tx, Experiment(id="e", name="one", created_at=1))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail_after_writing()
        with database.read() as tx:
            assert experiments.by_id(tx, "e") is None

    def test_a_reader_sees_one_state_while_others_write(self, database: Database) -> None:
        def write() -> None:
            with database.write() as tx:
                experiments.insert(tx, Experiment(id="e", name="one", created_at=1))

        with database.read() as tx:
            assert experiments.by_id(tx, "e") is None
            with ThreadPoolExecutor(1) as pool:
                pool.submit(write).result()
            assert experiments.by_id(tx, "e") is None
        with database.read() as tx:
            assert experiments.by_id(tx, "e") is not None

    def test_writers_take_turns(self, database: Database) -> None:
        make_run(database, "r")
        together = threading.Barrier(4)

        def count(_: int) -> None:
            together.wait()
            for _ in range(10):
                with database.write() as tx:
                    experiments.take_numbers(tx, "e", 1)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(count, range(4)))
        with database.write() as tx:
            assert experiments.take_numbers(tx, "e", 1) == 41

    def test_after_close_a_transaction_is_refused_and_close_again_is_harmless(
        self, database: Database
    ) -> None:
        database.close()
        database.close()
        with pytest.raises(StorageError, match="closed"), database.read():
            pass

    def test_one_active_experiment_has_a_name(self, database: Database) -> None:
        with database.write() as tx:
            assert experiments.insert(tx, Experiment(id="a", name="x", created_at=1))
            assert not experiments.insert(tx, Experiment(id="b", name="x", created_at=2))
            experiments.update(tx, Experiment(id="a", name="x", created_at=1, archived_at=3))
            assert experiments.insert(tx, Experiment(id="b", name="x", created_at=2))
            assert [e.id for e in experiments.listed(tx, name="x", archived=None)] == ["a", "b"]
            assert [e.id for e in experiments.listed(tx, name=None, archived=True)] == ["a"]

    def test_a_status_moves_only_from_what_it_is(self, database: Database) -> None:
        stored = make_run(database, "r")
        with database.write() as tx:
            assert runs.move(tx, stored.rid, Status.NOT_STARTED, at_status(stored, Status.RUNNING))
            assert not runs.move(
                tx, stored.rid, Status.NOT_STARTED, at_status(stored, Status.FAILED)
            )
            found = runs.by_id(tx, "r")
        assert found is not None
        assert found.run.status is Status.RUNNING

    def test_a_journals_offset_moves_only_from_what_it_is(self, database: Database) -> None:
        stored = make_run(database, "r")
        with database.write() as tx:
            assert writers.move(tx, stored.rid, "w", before=0, taken=64, names=b"n")
            assert not writers.move(tx, stored.rid, "w", before=0, taken=96, names=b"m")
            assert writers.move(tx, stored.rid, "w", before=64, taken=96, names=b"m")
            assert not writers.move(tx, stored.rid, "w", before=64, taken=128)
            assert writers.move(tx, stored.rid, "w", before=96, taken=128)
            assert writers.find(tx, "w") == writers.Writer(stored.rid, 128)
            assert writers.names(tx, "w") == [b"n", b"m"]
            assert writers.find(tx, "other") is None
            assert writers.names(tx, "other") == []

    def test_what_is_pending_in_a_journal_is_replaced(self, database: Database) -> None:
        stored = make_run(database, "r")
        with database.write() as tx:
            assert writers.move(tx, stored.rid, "w", before=0, taken=1, names=b"a", pending=b"p")
            assert writers.move(tx, stored.rid, "w", before=1, taken=2, names=b"b")
            assert writers.names(tx, "w") == [b"a", b"b", b"p"]
            assert writers.move(tx, stored.rid, "w", before=2, taken=3, pending=b"q")
            assert writers.names(tx, "w") == [b"a", b"b", b"q"]

    def test_many_names_of_a_journal_come_back_in_order(self, database: Database) -> None:
        stored = make_run(database, "r")
        parts = [bytes([i]) * 2000 for i in range(5)]
        with database.write() as tx:
            for i, part in enumerate(parts):
                assert writers.move(tx, stored.rid, "w", before=i, taken=i + 1, names=part)
            assert writers.names(tx, "w") == parts

    def test_series_come_by_run_in_the_order_first_logged(self, database: Database) -> None:
        parent = make_run(database, "parent")
        child = make_run(database, "child", parent_id="parent")
        with database.write() as tx:
            for stored, names in ((parent, "ba"), (child, "c")):
                for name in names:
                    summary = SeriesSummary(run_id=stored.run.id, name=name)
                    series.insert(tx, stored.rid, summary)
        with database.read() as tx:
            alone = series.summaries(tx, MetricQuery("parent"))
            both = series.summaries(tx, MetricQuery("parent", recursive=True))
        assert [one.summary.name for one in alone] == ["b", "a"]
        assert [(one.summary.run_id, one.summary.name) for one in both] == [
            ("parent", "b"),
            ("parent", "a"),
            ("child", "c"),
        ]

    def test_pages_follow_each_other_without_gap_or_repetition(self, database: Database) -> None:
        stored = [make_run(database, f"r{i}") for i in range(7)]
        seen: list[str] = []
        cursor = ""
        while True:
            with database.read() as tx:
                found = search.page(tx, newest(RunQuery(limit=3, cursor=cursor)))
            seen += [one.run.id for one in found.runs]
            if not (cursor := found.next_cursor):
                break
            make_run(database, f"new{len(seen)}")
        assert seen == [one.run.id for one in reversed(stored)]

    def test_labels_are_found_by_value_by_key_and_by_none(self, database: Database) -> None:
        long = "x" * 5000
        first, second = make_run(database, "r1"), make_run(database, "r2")
        with database.write() as tx:
            labels.put(tx, first.rid, "t", {"q": "good", "empty": None, "long": long + "1"})
            labels.put(tx, second.rid, "t", {"q": "bad", "long": long + "2"})

        def found(query: RunQuery) -> list[str]:
            with database.read() as tx:
                return [one.run.id for one in search.page(tx, newest(query)).runs]

        assert found(RunQuery(tags={"q": "good"})) == ["r1"]
        assert found(RunQuery(tags={"long": long + "2"})) == ["r2"]
        assert found(RunQuery(tags={"empty": None})) == ["r1"]
        assert found(RunQuery(has_tags=["q"])) == ["r2", "r1"]
        assert found(RunQuery(tags={"q": "good", "long": long + "2"})) == []


def make_run(database: Database, run_id: str, parent_id: str | None = None) -> StoredRun:
    """A run of the experiment ``e``, written as it is."""
    with database.write() as tx:
        return _insert_run(tx, run_id, parent_id)


def _insert_run(tx: Transaction, run_id: str, parent_id: str | None) -> StoredRun:
    if experiments.by_id(tx, "e") is None:
        experiments.insert(tx, Experiment(id="e", name="one", created_at=1))
    run = Run(
        id=run_id,
        experiment_id="e",
        experiment_name="one",
        number=1,
        name=run_id,
        status=Status.NOT_STARTED,
        created_at=1,
        parent_id=parent_id,
        root_id=parent_id or run_id,
    )
    return runs.insert(tx, run, NewRun(id=run_id, experiment_id="e"))


def at_status(stored: StoredRun, status: Status) -> Run:
    """The same run with another status."""
    run = stored.run
    return Run(
        id=run.id,
        experiment_id=run.experiment_id,
        experiment_name=run.experiment_name,
        number=run.number,
        name=run.name,
        status=status,
        created_at=run.created_at,
        root_id=run.root_id,
    )


def newest(query: RunQuery) -> Search:
    """A search without texts to read, newest first, children included where a parent is named."""
    return Search(query=query, expression=None, orders=(), now=0)
