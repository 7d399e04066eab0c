"""What an operator asks of a runner: marks that signals leave, and handlers that are put back."""

from __future__ import annotations

import signal
import threading

import pytest

from citylib.batch.interrupts import Interrupts


@pytest.mark.parametrize(
    ("asked", "ending", "stopping"),
    [
        ([], False, False),
        (["once"], True, False),
        (["once", "once"], True, True),
        (["once", "once", "once"], True, True),
        (["now"], True, True),
        (["now", "once"], True, True),
    ],
)
def test_once_ends_and_twice_stops(asked, ending, stopping):
    interrupts, heard = Interrupts(), []
    with interrupts.heard_by(lambda: heard.append(1)):
        for name in asked:
            getattr(interrupts, name)()
    interrupts.now()
    assert len(heard) == len(asked), "nobody listens any more"
    other = Interrupts()
    for name in asked:
        getattr(other, name)()
    assert (other.ending, other.is_set()) == (ending, stopping)


@pytest.fixture
def _heard():
    """Signals as on a terminal: whoever runs the tests may ignore some, as `nohup` does."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_heard")
@pytest.mark.parametrize(
    ("numbers", "stopping"),
    [
        ([signal.SIGINT], False),
        ([signal.SIGINT, signal.SIGINT], True),
        ([signal.SIGTERM], True),
        ([signal.SIGHUP], True),
    ],
)
def test_signals_leave_a_mark_and_raise_nothing(numbers, stopping):
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    interrupts = Interrupts()
    with interrupts.installed(), interrupts.installed():
        for number in numbers:
            signal.raise_signal(number)
    assert (interrupts.ending, interrupts.is_set()) == (True, stopping)
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_what_was_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    interrupts = Interrupts()
    try:
        with interrupts.installed():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert not interrupts.ending


def test_outside_the_main_thread_no_signal_is_taken():
    seen = []

    def call():
        with Interrupts().installed():
            seen.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert seen == [before]
