from datetime import timedelta
from functools import partial
from threading import Event, enumerate as enumerate_threads

from flask import Flask
from sqlalchemy import literal, select, table

from benchmarks.replay import recorded
from marketplace import duties
from marketplace.core import looking, outbox
from marketplace.core.db import db, in_transaction
from marketplace.core.worker import Step, Worker


def test_every_step_has_its_turn_even_after_a_failure(app: Flask) -> None:
    worked: list[str] = []

    def fail() -> bool:
        raise OSError("no network")

    def work() -> bool:
        worked.append("second")
        return False

    assert Worker(steps=[fail, work]).run_once() is False
    assert worked == ["second"]


def test_what_is_periodic_is_done_at_once_and_then_waits() -> None:
    worked: list[int] = []
    worker = Worker()
    worker.every(3600, lambda: worked.append(1))

    worker.run_once()
    worker.run_once()

    assert worked == [1]


def test_it_works_until_nothing_waits() -> None:
    waiting = [1, 2, 3]
    worker = Worker(steps=[lambda: bool(waiting and waiting.pop())])

    worker.run_until_idle()

    assert waiting == []


def test_it_stops_when_told() -> None:
    stop = Event()

    def finish() -> bool:
        stop.set()
        return True

    Worker(steps=[finish]).run(stop)


def test_what_waits_for_a_gateway_holds_nobody_up() -> None:
    stop, answered, is_waiting = Event(), Event(), Event()
    turns: list[int] = []

    def ask() -> bool:
        is_waiting.set()
        return not answered.wait(30)

    def write_the_index() -> bool:
        if is_waiting.is_set():
            turns.append(1)
        if len(turns) == 3:
            answered.set()
            stop.set()
        return True

    Worker(steps=[write_the_index], slow_steps=[ask]).run(stop)

    assert len(turns) == 3 and not any(thread.name == "slow steps" for thread in enumerate_threads())


def test_a_slow_step_has_a_session_of_its_own(real_app: Flask) -> None:
    stop = Event()
    sessions: set[object] = {db.session()}

    def ask() -> bool:
        sessions.add(db.session())
        stop.set()
        return False

    Worker(slow_steps=[ask]).run(stop)

    assert len(sessions) == 2


def test_a_slow_step_goes_on_while_more_waits_before_the_next_has_its_turn() -> None:
    stop, waiting, seen = Event(), [1, 2, 3], list[int]()

    def work() -> bool:
        return bool(waiting and waiting.pop())

    def look() -> bool:
        seen.append(len(waiting))
        stop.set()
        return False

    Worker(slow_steps=[work, look]).run(stop)

    assert seen == [0]


def test_a_step_is_not_run_in_vain(app: Flask) -> None:
    """One look, which writes nothing, says which queues are empty; what is due later is not due."""
    worked: list[str] = []

    def work(name: str) -> bool:
        worked.append(name)
        return False

    steps: list[Step] = [partial(work, "without a queue"), partial(work, "here"), partial(work, "there")]
    of_topic = {name: outbox.of_topics(outbox.OutboxRow.topic == name) for name in ("here", "there")}
    worker = Worker(steps=[steps[0]], slow_steps=steps[1:], queues={steps[1]: of_topic["here"], steps[2]: of_topic["there"]})
    worker.run_once()
    assert worked == ["without a queue"]
    in_transaction(outbox.put, "here", after=timedelta(hours=1))
    in_transaction(outbox.put, "there")
    worker.run_once()
    assert worked == ["without a queue", "without a queue", "there"]


def test_every_step_is_run_where_the_look_fails(app: Flask) -> None:
    worked: list[str] = []

    def work() -> bool:
        worked.append("run")
        return False

    broken = select(literal(1)).select_from(table("of_nobody"))
    Worker(steps=[work], queues={work: broken}).run_once()
    assert worked == ["run"]


def test_an_idle_round_looks_into_all_queues_at_once(real_app: Flask) -> None:
    """And has nothing to lock or to commit."""
    worker = duties.compose_worker(real_app)
    assert {*worker.queues} < {*worker.steps, *worker.slow_steps, *worker.patient_steps}
    looks = looking.look_into(tuple(worker.queues.values()))
    assert "FOR UPDATE" not in str(looks.compile(db.engine))
    assert looking.found_in(tuple(worker.queues.values())) == [False] * len(worker.queues)
    with recorded(db.engine, with_reading=True) as sent:
        assert worker.with_work(worker.slow_steps) != worker.slow_steps
    assert [(len(one.statements), one.is_committed) for one in sent] == [(1, False)]
