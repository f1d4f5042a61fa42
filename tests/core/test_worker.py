from threading import Event

from flask import Flask

from marketplace.core.worker import Worker


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
