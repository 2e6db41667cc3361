"""Strategies found by name: adding one is adding one file to its package."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from core.errors import StudyError

F = TypeVar("F", bound=Callable[..., Any])
E = TypeVar("E", bound="Entry[Any]")
P = ParamSpec("P")


@dataclass(frozen=True)
class Entry(Generic[F]):
    """One entry of a menu, the function behind it, and what it declares of itself.

    Each kind of strategy has an entry of its own, which adds what other code asks of that kind (`core.scoring.Scorer`,
    `core.selection.Selection`, …): who wants to know asks the entry, and never its name.

    Attributes:
        function: the strategy itself, with the signature that its package states.
        name: what a study stores.
        help: one line on what it does.
        title: what a menu shows; the name where it is "".
        reads: fields of `Study` that decide its result, so that a page shows their controls and no others.
        place: menus sort by (place, name).
        slow: True where it trains, generates or scores hundreds of prompts before it can answer: a page runs it as a
            job, with progress and Cancel.
    """

    function: F
    name: str
    _: KW_ONLY
    help: str
    title: str = ""
    reads: tuple[str, ...] = ()
    place: int = 100
    slow: bool = False

    def __post_init__(self) -> None:
        if not self.title:
            object.__setattr__(self, "title", self.name)


class Registry(Generic[E, F, P]):
    """Every strategy of one kind.

    The modules of `package` are imported on first use, not before, and each registers itself, with what the kind's
    entry asks for:

        @selections.register("random", help="k of the pool at random", reads=("pool", "k", "selection_seed"))
        def select(study, model, stop): ...
    """

    def __init__(
        self,
        kind: str,
        entry: Callable[Concatenate[F, P], E],
        package: str | None = None,
        *,
        plain: str = "",
    ) -> None:
        """
        Args:
            kind: what one is called, for messages.
            entry: makes the entry of a function and of what is declared beside it: the class of the kind's entries.
            package: whose modules register themselves; None where all is registered already.
            plain: the entry of a study that asks for nothing of this kind: no calibration, no reasoning, the order
                as it is given, the labels scored directly.
        """
        self.kind, self.package, self.plain = kind, package, plain
        self._make = entry
        self._entries: dict[str, E] = {}
        self._lock = threading.RLock()  # two sessions may open a menu at once
        self._complete = package is None

    def register(self, *args: P.args, **declared: P.kwargs) -> Callable[[F], F]:
        """Enter the decorated function, by its name and what it declares.

        Raises:
            ValueError: the name is taken by another module (a module that is reloaded may take its own again).
        """

        def enter(function: F) -> F:
            entry = self._make(function, *args, **declared)
            taken = self._entries.get(entry.name)
            if taken is not None and taken.function.__module__ != function.__module__:
                raise ValueError(f"the {self.kind} {entry.name!r} is already defined in {taken.function.__module__}")
            self._entries[entry.name] = entry
            return function

        return enter

    @contextmanager
    def trial(self) -> Iterator[None]:
        """What is registered inside is forgotten afterwards."""
        self._discover()
        before = dict(self._entries)
        try:
            yield
        finally:
            self._entries = before

    def find(self, name: str) -> E:
        """The strategy of that name.

        Raises:
            StudyError: there is none.
        """
        self._discover()
        try:
            return self._entries[name]
        except KeyError:
            known = ", ".join(self.names())
            raise StudyError(f"There is no {self.kind} called “{name}”; choose one of {known}.") from None

    def names(self) -> tuple[str, ...]:
        """Names in menu order."""
        return tuple(entry.name for entry in self)

    def __iter__(self) -> Iterator[E]:
        self._discover()
        return iter(sorted(self._entries.values(), key=lambda entry: (entry.place, entry.name)))

    def __len__(self) -> int:
        self._discover()
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        self._discover()
        return name in self._entries

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


AnyRegistry = Registry[Any, Any, ...]
"""A registry of whatever kind, for what goes through several of them."""
