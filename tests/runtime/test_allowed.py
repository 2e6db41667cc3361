"""What an operator allows: one folder, by whatever road a name leads out of it, and the hub where that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.runtime.allowed import cluster_refusal, refusal


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    inside, outside = tmp_path / "models", tmp_path / "other"
    for place in (inside / "mine", outside):
        place.mkdir(parents=True)
    (inside / "out").symlink_to(outside)
    (inside / "circle").symlink_to(inside / "circle")
    monkeypatch.setenv("ICLENS_MODELS", str(inside))
    monkeypatch.delenv("ICLENS_HUB", raising=False)
    monkeypatch.chdir(tmp_path)
    return inside


def test_without_an_operator_everything_may_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ICLENS_MODELS", raising=False)
    assert [refusal(name) for name in ("gpt2", "/somewhere", " ~/x")] == ["", "", ""]


def test_what_lies_in_the_folder_may_be_loaded(folder: Path) -> None:
    for name in (str(folder), f"{folder}/mine", f"  {folder}/mine ", "models/mine", "./models/../models/mine"):
        assert refusal(name) == ""


@pytest.mark.parametrize(
    "name",
    ["/", "other", " other", "\tother", "./other", "models/../other", "models/out", "~", "~root/x", " ~/x",
     "models/circle", "/no\0where", "/" + "a" * 300],
)  # fmt: skip
def test_no_road_leads_out_of_it(folder: Path, name: str) -> None:
    assert "one folder only" in refusal(name)


@pytest.mark.parametrize("name", ["gpt2", " gpt2", "someone/else", "a" * 5000, "no\0name", "half \ud83d"])
def test_hub_ids_are_refused_unless_allowed(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "none from the hub" in refusal(name, "encoders")
    assert "encoders" in refusal(name, "encoders")
    monkeypatch.setenv("ICLENS_HUB", "1")
    assert refusal(name) == ""


def test_experiments_go_to_no_cluster_but_the_operators(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    assert cluster_refusal("") == cluster_refusal("auto") == cluster_refusal(" ray://head:10001 ") == ""
    assert "RAY_ADDRESS" in cluster_refusal("ray://elsewhere:10001")
    monkeypatch.delenv("ICLENS_MODELS")
    assert cluster_refusal("ray://elsewhere:10001") == ""
