"""What an operator asks of a runner under way: to start no more runs (Ctrl-C), or to stop now (Ctrl-C again).

A signal only leaves a mark here, which the runner looks at between two steps: no
exception is thrown into the middle of anything. What ends a process from outside
(SIGTERM) or takes its terminal away (SIGHUP) asks to stop now. Signals that were
ignored before, as under ``nohup``, stay ignored.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["CODE", "Interrupts"]

CODE = 130  # with which a command ends that was interrupted, whichever way


class Interrupts:
    """What has been asked for so far; a `citylib.batch.supervise.Stop` for the runs under way.

    Examples
    --------
    >>> asked = Interrupts()
    >>> asked.once()
    >>> asked.ending, asked.is_set()
    (True, False)
    >>> asked.once()
    >>> asked.is_set()
    True
    """

    def __init__(self) -> None:
        # A plain number, and not two events: an event's lock may be held by the very code that a signal interrupts.
        self._times = 0
        self._heard: tuple[Callable[[], object], ...] = ()

    @property
    def ending(self) -> bool:
        """Whether no more runs are to be started."""
        return self._times > 0

    def is_set(self) -> bool:
        """Return whether the runs under way are to be ended too."""
        return self._times > 1

    def once(self) -> None:
        """Ask to start no more runs; the second time, to stop now."""
        self._ask(self._times + 1)

    def now(self) -> None:
        """Ask to stop now."""
        self._ask(2)

    @contextmanager
    def heard_by(self, wake: Callable[[], object]) -> Iterator[None]:
        """Call `wake` whenever something is asked; it may be called within a signal handler.

        Parameters
        ----------
        wake : callable
            Takes no lock that the interrupted code may hold; the put of a `queue.SimpleQueue` does.
        """
        before, self._heard = self._heard, (*self._heard, wake)
        try:
            yield
        finally:
            self._heard = before

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Take the signals of this process, until left; outside the main thread nothing is taken."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        wanted = {signal.SIGINT: self.once, signal.SIGTERM: self.now, signal.SIGHUP: self.now}
        before = {}
        try:
            for number, ask in wanted.items():
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    before[number] = signal.signal(number, lambda *_, ask=ask: ask())
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ask(self, times: int) -> None:
        self._times = max(self._times, times)
        for wake in self._heard:
            wake()
