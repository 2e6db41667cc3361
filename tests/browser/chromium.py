"""Where Chromium is. Run as a script it prints the path, or ends with status 1: that is how bin/setup asks."""

from __future__ import annotations

import os
import shutil
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_chromium() -> str | None:
    """The program named by ICLENS_CHROMIUM, else the first of `NAMES` on PATH, else None."""
    named = os.environ.get("ICLENS_CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


if __name__ == "__main__":
    path = find_chromium()
    print(path or "")
    sys.exit(0 if path else 1)
