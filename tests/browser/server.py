"""The real Streamlit server as a subprocess, on a free port and with a home of its own."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from urllib.error import URLError

ROOT = Path(__file__).resolve().parents[2]
NURSERY = Path(__file__).with_name("nursery.py")
START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        url: its address, no slash at the end.
        log: the file that its output goes to.
        home: its ICLENS_HOME.
        process: number of its process.
    """

    url: str
    log: Path
    home: Path
    process: int = 0


def free_port() -> int:
    """A port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Forked:
    """A process that the nursery has forked, as far as `serve` needs it like a `Popen`."""

    pid: int

    def poll(self) -> int | None:
        """None while it runs."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return 0
        return None

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def wait(self, timeout: float = 10) -> None:
        """Until it has ended; raises `subprocess.TimeoutExpired` as a `Popen` does."""
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("streamlit", timeout)
            time.sleep(0.02)


@cache
def _nursery() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, str(NURSERY)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def end() -> None:
        process.communicate()

    atexit.register(end)
    return process


def _fork(arguments: list[str], environment: dict[str, str], log: Path) -> Forked:
    nursery = _nursery()
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    order = {"arguments": arguments, "environment": environment, "folder": str(ROOT), "log": str(log)}
    nursery.stdin.write(json.dumps(order) + "\n")
    nursery.stdin.flush()
    return Forked(int(nursery.stdout.readline()))


@contextmanager
def serve(
    folder: Path,
    script: str | Path = "dashboard.py",
    module: str = "streamlit",
    forked: bool = False,
    port: int | None = None,
    options: Sequence[str] = (),
) -> Iterator[Server]:
    """Serve `script` (relative to the repository) until the block ends; log and home go into `folder`.

    `module` is what is run with streamlit's arguments: streamlit, or what changes something first. A `forked` server
    has imported the libraries, though neither streamlit nor anything of ours (`nursery.py`). A free `port` is found
    where none is given. `options` are further ones of streamlit's.
    """
    port = port or free_port()
    server = Server(f"http://127.0.0.1:{port}", folder / "server.log", folder / "home")
    arguments = ["run", str(ROOT / script), "--server.headless=true", f"--server.port={port}"]
    # What a developer sees: the page shows a whole traceback, so that a failing test's picture tells what happened.
    arguments += ["--server.fileWatcherType=none", "--client.showErrorDetails=full", *options]
    environment = os.environ | {"ICLENS_HOME": str(server.home), "PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1"}
    process: Forked | subprocess.Popen[bytes]
    with server.log.open("wb") as log:
        if forked:
            process = _fork(arguments, environment, server.log)
        else:
            command = [sys.executable, "-m", module, *arguments]
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_healthy(server, process)
        yield replace(server, process=process.pid)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait_until_healthy(server: Server, process: Forked | subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=5) as answer:
                if answer.read() == b"ok":
                    return
        except (URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.1)
    raise AssertionError(f"The server did not start:\n{server.log.read_text(errors='replace')}")
