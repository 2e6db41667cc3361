"""Forks servers that have the libraries already: most of what a fresh one does until its first page is to import them.

Run as a script. An order is a line of JSON on standard input, {"arguments", "environment", "folder", "log"}; the answer
is a line with the process id. What is forked then is what `python -m streamlit` with these arguments would be, with
neither Streamlit nor anything of ours imported. When standard input ends, so do all that are left.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import signal
import sys
from contextlib import suppress

LIBRARIES = (
    "torch",
    "transformers",
    "transformers.models.llama.modeling_llama",
    "pandas",
    "pyarrow",
    "scipy.stats",
    "sklearn.decomposition",
    "plotly.graph_objects",
    "pydantic",
    "bm25s",
)


def main() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever ordered a server ends it: nobody here waits for its end
    born = []
    for line in sys.stdin:
        child = os.fork()
        if not child:
            become(**json.loads(line))
            return
        born.append(child)
        print(child, flush=True)
    for child in born:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)


def become(arguments: list[str], environment: dict[str, str], folder: str, log: str) -> None:
    """What a new process with these arguments is, but for the libraries."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    printed = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (sys.stdout.fileno(), sys.stderr.fileno()):
        os.dup2(printed, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[0] = folder
    sys.argv = ["streamlit", *arguments]
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
