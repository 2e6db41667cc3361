"""Strategies found by name: adding one is adding one file to its package."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from core.errors import StudyError

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Strategy(Generic[F]):
    """One entry of a menu, and the function behind it.

    Attributes:
        name: what a study stores.
        title: what a menu shows.
        help: one line on what it does.
        reads: fields of `Study` that decide its result, so that a page shows their controls and no others.
        function: the strategy itself, with the signature that its package states.
        sampled: True where the demonstrations remain independent draws from the pool, so that exact Bayes stays
            well specified. Read for selections only.
        symmetric: True where K(x, x') is a function of the two texts alone (given which demonstrations there are, in
            whatever order): symmetric and positive semidefinite. Read for kernels only.
        slow: True where it trains, generates or scores hundreds of prompts before it can answer: a page runs it as a
            job, with progress and Cancel.
        place: menus sort by (place, name).
        scores: what a score is, one sentence with the formula; "" where nothing is ranked. Read for selections only.
        at_once: True where what is chosen is chosen as one set, so that none of it comes first. Read for selections
            only.
    """

    name: str
    title: str
    help: str
    reads: tuple[str, ...]
    function: F
    sampled: bool = False
    place: int = 100
    symmetric: bool = False
    slow: bool = False
    scores: str = ""
    at_once: bool = False


class Registry(Generic[F]):
    """Every strategy of one kind.

    The modules of `package` are imported on first use, not before, and each registers itself:

        @selections.register("random", help="k of the pool at random", reads=("pool", "k", "selection_seed"))
        def select(study, model, stop): ...
    """

    def __init__(self, kind: str, package: str | None = None) -> None:
        self.kind, self.package = kind, package
        self._strategies: dict[str, Strategy[F]] = {}
        self._lock = threading.RLock()  # two sessions may open a menu at once
        self._complete = package is None

    def register(
        self,
        name: str,
        *,
        help: str,
        reads: tuple[str, ...] = (),
        title: str = "",
        sampled: bool = False,
        place: int = 100,
        symmetric: bool = False,
        slow: bool = False,
        scores: str = "",
        at_once: bool = False,
    ) -> Callable[[F], F]:
        """Enter the decorated function under `name`.

        Raises:
            ValueError: the name is taken by another module (a module that is reloaded may take its own again).
        """

        def enter(function: F) -> F:
            taken = self._strategies.get(name)
            if taken is not None and taken.function.__module__ != function.__module__:
                raise ValueError(f"the {self.kind} {name!r} is already defined in {taken.function.__module__}")
            self._strategies[name] = Strategy(
                name, title or name, help, reads, function, sampled, place, symmetric, slow, scores, at_once
            )
            return function

        return enter

    def find(self, name: str) -> Strategy[F]:
        """The strategy of that name.

        Raises:
            StudyError: there is none.
        """
        self._discover()
        try:
            return self._strategies[name]
        except KeyError:
            known = ", ".join(self.names())
            raise StudyError(f"There is no {self.kind} called “{name}”; choose one of {known}.") from None

    def names(self) -> tuple[str, ...]:
        """Names in menu order."""
        return tuple(strategy.name for strategy in self)

    def __iter__(self) -> Iterator[Strategy[F]]:
        self._discover()
        return iter(sorted(self._strategies.values(), key=lambda s: (s.place, s.name)))

    def __len__(self) -> int:
        self._discover()
        return len(self._strategies)

    def __contains__(self, name: object) -> bool:
        self._discover()
        return name in self._strategies

    def _discover(self) -> None:
        if self._complete:
            return
        with self._lock:
            if self._complete:
                return
            assert self.package is not None
            package = importlib.import_module(self.package)
            for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
                importlib.import_module(f"{self.package}.{module}")
            self._complete = True
