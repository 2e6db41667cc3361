"""Blocks computed on a cluster of Ray: one actor a processor, each of which loads a model once.

Ray is optional (`requirements-ray.txt`); without it the same blocks run in processes of this machine. Every node of the
cluster needs the same ICLens, and a model by the same name.
"""

from __future__ import annotations

import os
import socket
from concurrent.futures import Future
from typing import Any

from core.errors import Unavailable
from core.experiments.design import QuestionBlock
from core.experiments.experiment import Experiment
from core.experiments.items import ExperimentItem
from core.experiments.workers import Lost

PATIENCE = 5  # seconds until somebody answers at an address
AUTO = "auto"
"""The cluster that RAY_ADDRESS names, or the one that this machine is a node of."""


class RayWorkers:
    """Actors on a cluster.

    Attributes:
        count: blocks computed at once: one a processor of the cluster, or a GPU where the model is on one.
    """

    def __init__(self, experiment: Experiment, address: str = AUTO, count: int | None = None) -> None:
        """
        Args:
            address: of the cluster, "auto" for the one that RAY_ADDRESS names.
            count: of actors; None is as many as the cluster has processors, or GPUs where a model asks for one.

        Raises:
            Unavailable: Ray is not installed, or there is no cluster at this address.
        """
        try:
            import ray
        except ImportError:
            raise Unavailable("Ray is not installed: run `pip install -r requirements-ray.txt`.") from None
        self._ray: Any = ray
        if not ray.is_initialized():
            _check_open(address)
            try:
                ray.init(address=address, log_to_driver=False, namespace="iclens")
            except (ConnectionError, ValueError, RuntimeError, OSError) as error:
                why = " ".join(str(error).split())[:160]
                raise Unavailable(
                    f"No cluster of Ray answers at “{address}” ({why}): start one, or run here."
                ) from None
        self._gpu = any(choice.device.startswith("cuda") for choice in experiment.models)
        have = self._ray.cluster_resources().get("GPU" if self._gpu else "CPU", 0)
        if have < 1:
            raise Unavailable(f"The cluster of Ray at “{address}” has no {'GPU' if self._gpu else 'processor'}.")
        self.count = count if count is not None else int(have)
        self._body = experiment.model_dump_json()
        self._free: list[Any] = []
        self._all: list[Any] = []

    def submit(self, block: QuestionBlock) -> Future[list[ExperimentItem]]:
        """Compute a block; the future raises `Lost` where its actor or its node is gone."""
        actor = self._free.pop() if self._free else self._new()
        done: Future[list[ExperimentItem]] = Future()
        done.set_running_or_notify_cancel()

        def ended(found: Future[list[ExperimentItem]]) -> None:
            error = found.exception()
            if error is None:
                self._free.append(actor)
                done.set_result(found.result())
            elif isinstance(error, self._ray.exceptions.RayTaskError):
                self._free.append(actor)
                done.set_exception(error)
            else:
                done.set_exception(Lost(f"A process of the cluster is gone ({type(error).__name__})."))

        actor.work.remote(block).future().add_done_callback(ended)
        return done

    def lose(self) -> bool:
        """An actor that is gone takes no other with it; where its node has gone too, there is room for one less."""
        self.count = max(1, self.count - 1)
        return False

    def kill(self) -> None:
        for actor in self._all:
            self._ray.kill(actor)
        self._free.clear()
        self._all.clear()

    def _new(self) -> Any:
        needs = {"num_gpus": 1} if self._gpu else {"num_cpus": 1}
        actor = self._ray.remote(**needs, max_restarts=0)(_Actor).remote(self._body)
        self._all.append(actor)
        return actor


def _check_open(address: str) -> None:
    """Refuse an address where nothing listens: Ray itself waits for minutes, and then ends the process that asked.

    Raises:
        Unavailable: nothing does.
    """
    if address == AUTO:
        address = os.environ.get("RAY_ADDRESS", AUTO)
    if address == AUTO:  # of this machine, whose nodes Ray finds by its files
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        with socket.create_connection((host or "127.0.0.1", int(port)), timeout=PATIENCE):
            return
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "this is no address"
        raise Unavailable(f"No cluster of Ray answers at “{address}” ({why}): start one, or run here.") from None


class _Actor:
    """A process of the cluster, begun as one of this machine is (`core.experiments.workers`)."""

    def __init__(self, body: str) -> None:
        from core.experiments.workers import begin  # late: the actor's process has its own

        begin(body)

    def work(self, block: QuestionBlock) -> list[ExperimentItem]:
        from core.experiments.workers import work  # late: as above

        return work(block)
