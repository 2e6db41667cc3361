"""A cluster of Ray with two nodes on this machine: the same table, also where a node dies in the middle."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import Unavailable
from core.experiments.ledger import Ledger
from core.experiments.ray_workers import RayWorkers
from core.experiments.run import Advance, run_experiment
from tests.experiments.made import Here, experiment
from tests.experiments.test_run import numbers

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of other libraries, at import
    import ray
    from ray.cluster_utils import Cluster


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("RAY_worker_niceness", "0")  # at 15, Ray's own, other tests leave its processes no time
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # files and sockets that Ray leaves to the garbage collector
        found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        try:
            yield found
        finally:
            ray.shutdown()
            found.shutdown()


@pytest.mark.filterwarnings("ignore")  # as above
def test_a_cluster_gives_the_same_table_and_a_node_that_dies_loses_nothing(cluster: Any, tmp_path: Path) -> None:
    node = cluster.add_node(num_cpus=1)
    made = experiment(asked=24, draws={"sets": 8}, ordering=["random", "nearest-last"])
    workers = RayWorkers(made, cluster.address)
    assert workers.count == 2
    far, near, gone = Ledger(tmp_path / "far"), Ledger(tmp_path / "near"), []

    def lose_a_node(now: Advance) -> None:
        if now.computed >= 48 and not gone:
            gone.append(now.computed)
            cluster.remove_node(node, allow_graceful=False)

    ended = run_experiment(made, far, workers=workers, listener=lose_a_node)
    assert gone
    assert (ended.done, ended.failed) == (384, 0)
    run_experiment(made, near, workers=Here(made))
    assert numbers(far.items(made.key)) == numbers(near.items(made.key))


@pytest.mark.filterwarnings("ignore")
def test_an_address_where_no_cluster_answers_is_one_sentence() -> None:
    with pytest.raises(Unavailable, match="No cluster of Ray answers") as caught:
        RayWorkers(experiment(), "127.0.0.1:1")
    assert "\n" not in str(caught.value)
