"""What a server keeps, read and written beside it by the code that it runs itself."""

from __future__ import annotations

from sqlalchemy import text

from core.study.study import Study
from pages.ui.session.store import FILE
from pages.ui.store.database import Database
from pages.ui.store.studies import Studies
from tests.browser.server import Server


def _studies(server: Server) -> Studies:
    return Studies(Database(server.home / FILE))


def keep(server: Server, study: Study) -> str:
    """Put a study where the server finds it; its id."""
    kept = _studies(server)
    key, _ = kept.save(study)
    kept.database.close()
    return key


def kept_study(server: Server, key: str) -> Study:
    """The study that the server keeps under an id."""
    kept = _studies(server)
    body = kept.load(key)
    kept.database.close()
    assert body is not None, f"nothing is kept under {key}"
    return Study.model_validate_json(body)


def kept_studies(server: Server) -> list[Study]:
    """Every study that the server keeps."""
    if not (server.home / FILE).exists():
        return []
    kept = _studies(server)
    keys = kept.database.read(lambda connection: connection.execute(text("SELECT id FROM studies")).scalars().all())
    bodies = [kept.load(key) for key in keys]
    kept.database.close()
    return [Study.model_validate_json(body) for body in bodies if body is not None]
