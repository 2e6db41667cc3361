"""A PostgreSQL server for tests: a cluster of its own in a folder of its own, reached by a socket there alone."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVICE = "postgres"  # the user that Debian's package makes; PostgreSQL does not run as root


def binaries() -> Path | None:
    """The folder of initdb, pg_ctl and their like; None where PostgreSQL's server is not installed."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name), reverse=True)
    found = shutil.which("initdb")
    places += [Path(found).resolve().parent] if found else []
    return next((place for place in places if (place / "initdb").exists() and (place / "pg_ctl").exists()), None)


def why_not() -> str:
    """Why there can be no cluster, "" where there can."""
    if binaries() is None:
        return "PostgreSQL's server is not installed (Debian: apt-get install postgresql)."
    if os.getuid() == 0 and not _user():
        return f"PostgreSQL does not run as root, and there is no user “{SERVICE}” to run it as."
    return ""


def _user() -> str | None:
    """Whom it is run as; None for whoever runs the tests."""
    if os.getuid() != 0:
        return None
    return SERVICE if any(entry.pw_name == SERVICE for entry in pwd.getpwall()) else ""


@contextmanager
def cluster() -> Iterator[Path]:
    """A running server until the block ends: the folder of its socket."""
    folder = Path(tempfile.mkdtemp(prefix="iclens-pg-"))  # a socket's path is 107 letters at most
    user = _user()
    if user:
        shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)
    data = folder / "data"
    try:
        _call("initdb", user, "-D", str(data), "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        _call("pg_ctl", user, "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield folder
        finally:
            _call("pg_ctl", user, "-D", str(data), "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _call(name: str, user: str | None, *arguments: str) -> None:
    home = binaries()
    assert home is not None
    whose = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
    done = subprocess.run(
        [str(home / name), *arguments],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        **whose,  # type: ignore[arg-type]
    )
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    sys.exit(why_not())
