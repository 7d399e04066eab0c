"""A kernel provisioner that has each kernel forked from a clean parent, instead of starting an interpreter.

jupyter_client finds it under the entry point ``citylib-fork``. Where no parent is at
hand, the kernel is not this interpreter's ipykernel, or anything goes wrong before the
kernel has bound its sockets, it starts an ordinary kernel, and `why_ordinary` says why.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Integer

from citylib.batch import forked
from citylib.errors import ForkError

__all__ = ["NAME", "ForkProvisioner"]

NAME = "citylib-fork"
READY = 30.0  # seconds a forked kernel may take to bind its sockets
ENDED = 4.0  # seconds one that was killed may take to end, before it is asked after every 0.1 s


class ForkProvisioner(LocalProvisioner):
    """Launches kernels over the line that a runner has handed down."""

    line = Integer(-1, help="Descriptor of the line to the keeper of a kernel to be; -1: none.").tag(config=True)
    why_ordinary: str | None = None
    forked = False
    _abandoned = False
    process: Any = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork the kernel, or start an ordinary one."""
        if self.line < 0:
            return await super().launch_kernel(cmd, **kwargs)
        line, self.line = socket.socket(fileno=self.line), -1  # a restarted kernel is an ordinary one
        try:
            self.process = await asyncio.to_thread(_forked, line, cmd, kwargs)
        except ForkError as fault:
            line.close()
            self.why_ordinary = str(fault)
            return await super().launch_kernel(cmd, **kwargs)
        self.forked = True
        self.pid = self.pgid = self.process.pid  # it leads a group of its own by now
        self.cwd = kwargs.get("cwd") or os.getcwd()
        return self.connection_info

    @property
    def abandoned(self) -> bool:
        """Whether the kernel's keeper was lost, and with it what was to end what the kernel has started."""
        return self._abandoned or getattr(self.process, "abandoned", False)

    async def kill(self, restart: bool = False) -> None:
        """End the kernel at once, and return when it has ended: whoever asks is spared a pause."""
        await super().kill(restart=restart)
        if isinstance(self.process, forked.ForkedProcess):
            with suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self.process.wait, ENDED)

    async def wait(self) -> int | None:
        """Wait for the kernel to end, without the pauses that an interpreter's process needs."""
        if not isinstance(self.process, forked.ForkedProcess):
            code: int | None = await super().wait()
            return code
        process, self.process = self.process, None
        code = await asyncio.to_thread(process.wait)
        self._abandoned = process.abandoned
        process.close()
        return code


def _forked(line: socket.socket, cmd: list[str], options: dict[str, Any]) -> forked.ForkedProcess:
    if not _is_ours(cmd):
        raise ForkError(f"the kernel is started as {' '.join(cmd[:3])!r}, not as this Python's ipykernel")
    launcher = find_spec("ipykernel_launcher")
    assert launcher is not None
    environment = {**options["env"], "JPY_PARENT_PID": str(os.getpid())}
    with open(os.devnull, "rb") as nothing:
        process = forked.launch(
            line,
            [str(launcher.origin), *cmd[3:]],
            env=environment,
            cwd=os.fspath(options.get("cwd") or os.getcwd()),
            descriptors=[nothing.fileno(), 1, 2],
        )
    try:
        process.wait_ready(READY)
    except ForkError:
        process.close()
        raise
    return process


def _is_ours(cmd: list[str]) -> bool:
    """Whether a command starts this interpreter's ipykernel and nothing else."""
    program = shutil.which(cmd[0]) or cmd[0]
    same = os.path.realpath(program) == os.path.realpath(sys.executable) and os.path.dirname(
        os.path.abspath(program)
    ) == os.path.dirname(os.path.abspath(sys.executable))
    return same and cmd[1:4] == ["-m", "ipykernel_launcher", "-f"]
