"""The papermill engine that runs a notebook's cells: bounded output, a log, seconds per cell, what was imported."""

from __future__ import annotations

import ast
import json
import os
import queue
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from nbclient.exceptions import CellExecutionComplete, CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager

from citylib.batch import probe, provisioner
from citylib.results import MIME

__all__ = ["CitylibEngine", "Recording", "plain"]

MODULE = "citylib_probe"
TABLES_SHARE = 32  # tables may take this many times the notebook's limit: they are kept as Parquet
LAUNCHER = "ipykernel_launcher"
LONGEST = 100  # bytes of a path that sockets can have, a number added to it
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class Recording:
    """What happened while the cells ran.

    Parameters
    ----------
    event : callable
        Called with a dict at the start and at the end of each code cell, and for each source that was loaded.
    log : callable
        Called with what the cells print, as it comes.
    output_bytes : int
        Output that a run may have, tables apart.
    """

    event: Callable[[dict[str, Any]], None]
    log: Callable[[str], None]
    output_bytes: int
    notebook: NotebookNode | None = None
    cells: list[dict[str, Any]] = field(default_factory=list)
    outcome: str = "ok"
    error: dict[str, Any] | None = None
    probed: dict[str, Any] = field(default_factory=dict)
    kernel: dict[str, Any] = field(default_factory=dict)
    abandoned: bool = False  # whether something that the kernel has started may have lost who was to end it
    printed: int = 0
    tabled: int = 0

    def count(self, content: dict[str, Any]) -> bool:
        """Add one message's output to the account; return whether it is still within the limit."""
        data = dict(content.get("data") or {})
        payload = data.pop(MIME, None)
        kind = payload.get("type") if isinstance(payload, dict) else None
        if kind == "table":
            self.tabled += len(json.dumps(payload))
        if kind == "data":
            self.event({"loaded": payload})
        self.printed += len(content.get("text", "")) + sum(len(v) if isinstance(v, str) else 8 for v in data.values())
        self.printed += sum(len(line) for line in content.get("traceback", []))
        return self.printed <= self.output_bytes and self.tabled <= TABLES_SHARE * self.output_bytes

    def fail(self, outcome: str, cell: NotebookNode | None, name: str, message: str) -> None:
        """Keep the first thing that went wrong."""
        if self.outcome == "ok":
            self.outcome = outcome
            where = {"cell": cell["id"], "source": cell["source"]} if cell is not None else {"cell": None, "source": ""}
            self.error = {**where, "name": name, "message": plain(message)}


class PromptKernelClient(AsyncKernelClient):
    """A kernel client that knows when a kernel is ready, where others wait for a silence."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Return once the kernel has answered and all it said before has been heard.

        Raises
        ------
        DeadKernelError
            It died first, or did not answer in `timeout` seconds.
        """
        deadline = time.monotonic() + (60.0 if timeout is None else timeout)
        while True:
            asked = self.kernel_info()
            with suppress(queue.Empty):
                await self.get_shell_msg(timeout=1)
                while not _is_idle_after(await self.get_iopub_msg(timeout=0.2), asked):
                    pass
                return
            if not await self._async_is_alive():
                raise DeadKernelError("Kernel died before it answered")
            if time.monotonic() > deadline:
                raise DeadKernelError(f"Kernel didn't answer in {timeout} seconds")


class CitylibClient(PapermillNotebookClient):  # type: ignore[misc]
    """papermill's client, which also keeps account."""

    def __init__(
        self, nb_man: NotebookExecutionManager, recording: Recording, line: int, sockets: str, **options: Any
    ) -> None:
        super().__init__(nb_man, **options)
        self.recording = recording
        self.line = line
        self.sockets = sockets
        self.index = 0  # of the cell under way

    def create_kernel_manager(self) -> Any:
        """Return a manager whose kernel is forked if there is a line to a parent, and started otherwise."""
        manager = super().create_kernel_manager()
        manager.client_class = f"{PromptKernelClient.__module__}.{PromptKernelClient.__name__}"
        if LAUNCHER in manager.kernel_spec.argv and _holds_sockets(self.sockets):
            # Ports are found free and bound a moment later: of thousands of kernels some would find theirs taken.
            manager.transport, manager.ip = "ipc", self.sockets
        if self.line >= 0:
            chosen = {"provisioner_name": provisioner.NAME, "config": {"line": self.line}}
            manager.kernel_spec.metadata["kernel_provisioner"] = chosen
        return manager

    def _note_how_it_started(self) -> None:
        by = self.km.provisioner
        why = getattr(by, "why_ordinary", None)
        self.recording.kernel = {"forked": getattr(by, "forked", False)} | ({"why": why} if why else {})

    def papermill_execute_cells(self) -> None:
        """Run the cells until one fails, then ask the kernel what it imported."""
        self._note_how_it_started()
        self._ask(f"exec({_loader()!r})")
        cell, by = None, self.km.provisioner
        try:
            to_run = [
                (i, cell) for i, cell in enumerate(self.nb.cells) if cell.cell_type == "code" and cell.source.strip()
            ]
            for number, (index, cell) in enumerate(to_run, 1):
                self.recording.log(f"--- cell {cell['id']}, {number} of {len(to_run)}\n")
                if not self._run(cell, index):
                    break
            found = self._ask(f"__import__('sys').modules[{MODULE!r}].report()")
            self.recording.probed = json.loads(ast.literal_eval(found)) if found else {}
        except DeadKernelError:
            message = "The kernel died: the process was ended from within (os._exit, exit()) or by a crash."
            self.recording.fail("died", cell, "DeadKernelError", message)
            raise
        finally:
            self.recording.abandoned = getattr(by, "abandoned", False)

    async def _async_poll_for_reply(self, msg_id: str, cell: NotebookNode, timeout: Any, *others: Any) -> Any:
        """Take what a cell hands out, as it comes, and return the kernel's reply.

        One loop over both sockets, where nbclient has three tasks that wake each other up: for a chapter that is
        a good part of what its client costs.
        """
        for task in others:  # that would read the same sockets
            task.cancel()
        shell: Any = zmq.Socket.shadow(self.kc.shell_channel.socket)
        iopub: Any = zmq.Socket.shadow(self.kc.iopub_channel.socket)
        poller = zmq.Poller()
        for channel in (shell, iopub):
            poller.register(channel, zmq.POLLIN)
        reply, idle, silent = None, False, 0
        while reply is None or not idle:
            if not poller.poll(1000):
                await self._async_check_alive()
                silent += 1
                if reply is not None and silent >= self.iopub_timeout:
                    raise CellTimeoutError.error_from_timeout_and_cell("Timeout waiting for output", silent, cell)
                continue
            silent = 0
            for message in self._received(iopub, msg_id):
                try:
                    self.process_message(message, cell, self.index)
                except CellExecutionComplete:
                    idle = True
            reply = next(self._received(shell, msg_id), reply)
        return reply

    def _received(self, socket: Any, asked: str) -> Iterator[dict[str, Any]]:
        """Yield the messages that wait in a socket and answer a request; others are passed over."""
        with suppress(zmq.Again):
            while True:
                parts = self.kc.session.feed_identities(socket.recv_multipart(zmq.NOBLOCK))[1]
                message = self.kc.session.deserialize(parts)
                if message["parent_header"].get("msg_id") == asked:
                    yield message

    def _run(self, cell: NotebookNode, index: int) -> bool:
        recording, self.index = self.recording, index
        recording.event({"cell": cell["id"], "index": index, "source": cell.source})
        began = time.monotonic()
        try:
            self.execute_cell(cell, index)
        except CellExecutionError as fault:
            recording.fail("failed", cell, str(fault.ename), str(fault.evalue))
            recording.log("\n".join(plain(line) for line in str(fault).splitlines()) + "\n")
        seconds = round(time.monotonic() - began, 3)
        recording.cells.append({"index": index, "id": cell["id"], "seconds": seconds})
        recording.event({"cell": cell["id"], "index": index, "seconds": seconds})
        return recording.outcome == "ok"

    def _ask(self, expression: str) -> str | None:
        asked = self.kc.execute("", silent=True, store_history=False, user_expressions={"answer": expression})
        reply = self.wait_for_reply(asked)
        answer = (reply or {}).get("content", {}).get("user_expressions", {}).get("answer", {})
        text = answer.get("data", {}).get("text/plain")
        return text if isinstance(text, str) else None

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Take one message of the kernel into the notebook, unless output has grown over its limit."""
        recording, content = self.recording, msg["content"]
        if recording.outcome == "output":
            return None
        if not recording.count(content):
            message = f"The cells handed out more than {recording.output_bytes:,} bytes; print less or use table()."
            recording.fail("output", cell, "LimitError", message)
            self.km.provisioner.process.kill()
            return None
        if msg["msg_type"] == "stream":
            recording.log(content.get("text", ""))
        taken: NotebookNode | None = super().process_message(msg, cell, cell_index)
        return taken


class CitylibEngine(Engine):  # type: ignore[misc]
    """Registered with papermill under the name ``citylib``."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        recording: Recording,
        line: int = -1,
        sockets: str = "",
        **options: Any,
    ) -> None:
        """Run the cells of `nb_man`'s notebook; what happened is left in `recording`."""
        for cell in nb_man.nb.cells:
            if "injected-parameters" in cell.metadata.get("tags", []):
                cell["id"] = "injected-parameters"
        recording.notebook = nb_man.nb
        client = CitylibClient(
            nb_man,
            recording,
            line,
            sockets,
            kernel_name=kernel_name,
            startup_timeout=options.get("start_timeout", 60),
            coalesce_streams=True,
            record_timing=False,
            store_widget_state=False,
            ipython_hist_file="",
            extra_arguments=["--HistoryManager.enabled=False"],  # of earlier sessions: there are none
            shutdown_kernel="immediate",
            timeout=None,
        )
        try:
            client.execute()
        except DeadKernelError as fault:  # before the first cell; later ones are told with theirs
            recording.fail("died", None, "DeadKernelError", str(fault))
            raise


def _is_idle_after(message: dict[str, Any], asked: str) -> bool:
    parent, content = message["parent_header"].get("msg_id"), message["content"]
    return bool(parent == asked and content.get("execution_state") == "idle")


def _holds_sockets(path: str) -> bool:
    """Whether sockets can have names that begin so: short enough, and on a file system that has sockets."""
    try:
        if not path or len(path.encode()) > LONGEST:
            return False
        with socket.socket(socket.AF_UNIX) as tried:
            tried.bind(f"{path}-0")
        os.unlink(f"{path}-0")
    except (OSError, UnicodeError):
        return False
    return True


def plain(text: str) -> str:
    """Return `text` without terminal colours."""
    return ANSI.sub("", text)


def _loader() -> str:
    source = Path(probe.__file__).read_text(encoding="utf-8")
    return (
        "import sys, types\n"
        f"module = types.ModuleType({MODULE!r})\n"
        f"exec(compile({source!r}, '<{MODULE}>', 'exec'), module.__dict__)\n"
        f"sys.modules[{MODULE!r}] = module\n"
        "module.watch()\n"
    )
