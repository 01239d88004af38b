"""What every database must do; subclass ``StoreContract`` and give it a ``database`` fixture."""

import base64
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import msgspec
import pytest

from headway.errors import InvalidValueError, StorageError
from headway.filters import parse_order
from headway.model import Experiment, MetricQuery, NewRun, Run, RunQuery, SeriesSummary, Status
from headway.store import experiments, labels, runs, search, series, writers
from headway.store.base import Database, Transaction
from headway.store.bells import Ear
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

    def test_a_number_beyond_64_bits_is_refused(self, database: Database) -> None:
        for number in (2**63, -(2**63) - 1):
            with pytest.raises(InvalidValueError, match="64 bits"), database.read() as tx:
                tx.one("select cast(:number as bigint)", {"number": number})
        with database.read() as tx:
            assert tx.one("select cast(:a as bigint)", {"a": -(2**63)}) == (-(2**63),)

    def test_a_reason_may_hold_what_is_no_character(self, database: Database) -> None:
        stored = make_run(database, "r")
        with database.write() as tx:
            runs.add_event(
                tx,
                stored.rid,
                at=1,
                status=Status.FAILED,
                previous=None,
                actor="somebody",
                reason="no file b\udcff, \0",
            )
            (event,) = runs.events(tx, stored)
        assert event.reason.startswith("no file b?, ")

    def test_a_cursor_of_other_types_is_refused(self, database: Database) -> None:
        make_run(database, "r")
        tests: list[tuple[str, object]] = [
            ("name", 1),
            ("number", "1"),
            ("metrics.loss", "1"),
            ("tags.q", 1.5),
            ("duration", "1"),
            ("status", 1),
        ]
        for order_by, value in tests:
            content = msgspec.msgpack.encode([order_by, value, 1])
            query = RunQuery(order_by=order_by, cursor=base64.urlsafe_b64encode(content).decode())
            asked = Search(query, None, parse_order(order_by), 0)
            with pytest.raises(InvalidValueError, match="cursor"), database.read() as tx:
                search.page(tx, asked)

    def test_a_ring_is_heard_once_it_is_committed(self, database: Database) -> None:
        with database.listen(["a"]) as ear:
            quiet(database, ear)
            with database.write() as tx:
                tx.ring("a")
                assert not ear.wait(0.1)
            assert ear.wait(10)

    def test_a_ring_that_is_undone_is_not_heard(self, database: Database) -> None:
        def ring_and_fail() -> None:
            with database.write() as tx:
                tx.ring("a")
                raise ZeroDivisionError

        with database.listen(["a"]) as ear:
            quiet(database, ear)
            with pytest.raises(ZeroDivisionError):
                ring_and_fail()
            assert not ear.wait(0.1)

    def test_whoever_listens_before_looking_misses_nothing(self, database: Database) -> None:
        for _ in range(10):
            with database.listen(["other", "a"]) as ear:
                with database.write() as tx:
                    tx.ring("a")
                assert ear.wait(10)

    def test_every_ear_of_a_topic_is_woken(self, database: Database) -> None:
        heard = threading.Semaphore(0)
        with ExitStack() as stack:
            ears = [stack.enter_context(database.listen(["a"])) for _ in range(5)]
            stack.enter_context(database.listen(["a"], heard.release))
            for ear in ears:
                quiet(database, ear)
            while heard.acquire(timeout=0.1):
                pass
            with database.write() as tx:
                tx.ring("a")
            assert all(ear.wait(10) for ear in ears)
            assert heard.acquire(timeout=10)

    def test_who_writes_without_ringing_wakes_nobody(self, database: Database) -> None:
        with database.listen(["a"]) as ear:
            quiet(database, ear)
            make_run(database, "r")
            assert not ear.wait(0.1)

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


def quiet(database: Database, ear: Ear) -> None:
    """Pass over the wake-ups of the beginning, of an ear that listens to ``a``."""
    with database.write() as tx:
        tx.ring("a")
    assert ear.wait(10)
    while ear.wait(0.2):
        pass


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
