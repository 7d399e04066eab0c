"""A process that a fork parent's keeper looks after, with what callers of `subprocess.Popen` know it by."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any

from citylib.batch import fork_parent
from citylib.errors import ForkError

__all__ = ["ForkedProcess", "launch"]


class ForkedProcess:
    """A forked process: its number, whether it lives, how it ended.

    Parameters
    ----------
    line : socket.socket
        To its keeper; closed, it ends the process and all that came of it.
    pid : int
        Its number.
    pidfd : int
        Its descriptor, which no later process of that number can be mistaken for.
    """

    stdout = stderr = None  # what jupyter_client closes of a Popen

    def __init__(self, line: socket.socket, pid: int, pidfd: int) -> None:
        self.stdin: IO[bytes] | None = None
        self.pid = pid
        self.returncode: int | None = None
        self.ready = False
        self.abandoned = False  # whether its keeper was lost, so that nobody ends what it has started
        self._line, self._pidfd = line, pidfd

    def poll(self) -> int | None:
        """Return how it ended, as a shell numbers it (negative: by a signal), or None while it lives."""
        while self.returncode is None and select.select([self._line], [], [], 0)[0]:
            self._take()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return how it ended, once it has.

        Raises
        ------
        subprocess.TimeoutExpired
            It still lives after `timeout` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not select.select([self._line], [], [], left)[0]:
                raise subprocess.TimeoutExpired(f"forked process {self.pid}", timeout or 0.0)
            self._take()
        return self.returncode

    def wait_ready(self, timeout: float) -> None:
        """Return once it has said that it is ready.

        Raises
        ------
        ForkError
            It ended first, or `timeout` seconds have passed.
        """
        deadline = time.monotonic() + timeout
        while not self.ready:
            if self.returncode is not None:
                raise ForkError(f"the forked process ended with code {self.returncode} before it was ready")
            if not select.select([self._line], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise ForkError(f"the forked process was not ready within {timeout:g} s")
            self._take()

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Let go: the keeper ends it, if it lives, and everything it left behind."""
        self._line.close()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
        if self.returncode is None:
            self.returncode = -signal.SIGKILL

    def _take(self) -> None:
        try:
            message = self._line.recv(fork_parent.LARGEST)
        except OSError:
            message = b""
        if not message and self.returncode is None:  # without its keeper it isn't to live
            self.abandoned = True
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        answer: dict[str, Any] = json.loads(message) if message else {"returncode": -signal.SIGKILL}
        self.ready = self.ready or "ready" in answer
        self.returncode = answer.get("returncode", self.returncode)


def launch(
    line: socket.socket,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str,
    descriptors: Sequence[int],
    module: str = "",
    timeout: float = 10.0,
) -> ForkedProcess:
    """Give a waiting keeper its order.

    Parameters
    ----------
    line : socket.socket
        To the keeper.
    argv : sequence of str
        What the process sees as ``sys.argv``.
    env, cwd : mapping, str
        Its variables and folder.
    descriptors : sequence of int
        Its standard input, output and error, and one more, if any, whose number it finds in ``CITYLIB_LINE``.
    module : str, optional
        For a parent of clients: the module whose ``main`` it runs.
    timeout : float, default 10
        Seconds the keeper may take.

    Returns
    -------
    ForkedProcess

    Raises
    ------
    ForkError
        The order is too large, or the keeper is gone or doesn't answer.
    """
    wanted = {"argv": list(argv), "env": dict(env), "cwd": cwd} | ({"module": module} if module else {})
    order = json.dumps(wanted).encode()
    if len(order) > fork_parent.LARGEST:
        raise ForkError(
            f"arguments and environment have {len(order):,} bytes, at most {fork_parent.LARGEST:,} may be sent"
        )
    line.settimeout(timeout)
    try:
        socket.send_fds(line, [order], list(descriptors))
        message, received, _, _ = socket.recv_fds(line, fork_parent.LARGEST, 1)
    except OSError as fault:
        raise ForkError(f"the keeper does not answer ({fault})") from None
    if not message or not received:
        raise ForkError("the keeper ended before it had forked")
    line.settimeout(None)
    answer: dict[str, Any] = json.loads(message)
    return ForkedProcess(line, answer["pid"], received[0])
