"""The real Streamlit server as a subprocess, on a free port and with a home of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        url: its address, no slash at the end.
        log: the file that its output goes to.
        home: its ICLENS_HOME.
    """

    url: str
    log: Path
    home: Path


def free_port() -> int:
    """A port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve(folder: Path, script: str | Path = "dashboard.py", module: str = "streamlit") -> Iterator[Server]:
    """Serve `script` (relative to the repository) until the block ends; log and home go into `folder`.

    `module` is what is run with streamlit's arguments: streamlit, or what changes something first.
    """
    port = free_port()
    server = Server(f"http://127.0.0.1:{port}", folder / "server.log", folder / "home")
    command = [sys.executable, "-m", module, "run", str(ROOT / script)]
    command += ["--server.headless=true", f"--server.port={port}", "--server.fileWatcherType=none"]
    # What a developer sees: the page shows a whole traceback, so that a failing test's picture tells what happened.
    command += ["--client.showErrorDetails=full"]
    environment = os.environ | {"ICLENS_HOME": str(server.home), "PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1"}
    with server.log.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_until_healthy(server, process)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_healthy(server: Server, process: subprocess.Popen[bytes]) -> None:
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
