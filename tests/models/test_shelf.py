"""The menu of models: what lies on this machine is found with its size, and what is said of the hub's is so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from core.errors import Cancelled, ModelError
from core.models import hub, load_model, shelf
from core.models.weights import count_parameters, counted, weight_files
from core.runtime.progress import Progress, reporting
from tests.models.checkpoints import ARCHITECTURES
from tests.models.conftest import Folder
from tests.models.gguf_files import write_gguf


@pytest.fixture(autouse=True)
def _own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home, a cache and a folder of models of the test's own, all empty."""
    monkeypatch.setenv("ICLENS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ICLENS_MODELS", raising=False)


def found() -> dict[str, shelf.Shelved]:
    return {each.name: each for each in shelf.shelf()}


def test_nothing_but_the_embedded_model_and_the_hub() -> None:
    names = list(found())
    assert names[0] == "embedded"
    assert names[1:] == [each.name for each in shelf.HUB]


def test_the_folder_of_models(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints and GGUF files in it and in its folders; what is damaged or no language model is left out."""
    root = tmp_path / "models"
    shutil.copytree(folder("gpt2"), root / "mine" / "gpt2")
    settings = {"general.name": "Tiny", "general.license": "mit"}
    (root / "gguf").mkdir()
    file = write_gguf(folder("llama"), root / "gguf" / "tiny.gguf", settings=settings)
    (root / "broken.gguf").write_bytes(b"GGUF" + b"\xff" * 30)
    (root / "bert").mkdir()
    (root / "bert" / "config.json").write_text(json.dumps({"architectures": ["BertForMaskedLM"]}))
    (root / "bert" / "model.safetensors").write_bytes(b"")
    monkeypatch.setenv("ICLENS_MODELS", str(root))
    listed = found()
    here = {name: each for name, each in listed.items() if each.place == "here" and name != "embedded"}
    assert set(here) == {str(root / "mine" / "gpt2"), str(file)}
    assert here[str(root / "mine" / "gpt2")].parameters == count_parameters(weight_files(folder("gpt2")))
    assert here[str(file)].licence == "mit"
    assert here[str(file)].title == "Tiny (tiny.gguf)"
    for name in here:
        assert load_model(name).score([("a", " b")])


def test_a_models_line() -> None:
    one = shelf.Shelved("a/b", "B", "hub", 500_000_000, "MIT")
    assert one.line("float32") == "B · 500 M · 2.00 GB in float32 · MIT · on the hub"
    assert one.line("bfloat16") == "B · 500 M · 1.00 GB in bfloat16 · MIT · on the hub"
    assert shelf.Shelved("c", "C", "here", 1_500_000).line("float32") == "C · 1.5 M · 6 MB in float32 · on this machine"


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (999, "999"),
        (17_600, "17.6 K"),
        (999_900, "1 M"),
        (134_515_008, "135 M"),
        (999_600_000, "1 B"),
        (1_100_048_384, "1.1 B"),
        (70_000_000_000, "70 B"),
    ],
)
def test_how_many_parameters(count: int, said: str) -> None:
    assert counted(count) == said


def test_loaded_before(folder: Folder, tmp_path: Path) -> None:
    """The latest first, each once, as long as it is there; another's list is not trusted."""
    gone, one, two = (tmp_path / name for name in ("gone", "one", "two"))
    for place in (gone, one, two):
        shutil.copytree(folder("gpt2"), place)
        shelf.remember(str(place))
    shelf.remember(str(one))
    shutil.rmtree(gone)
    assert list(found())[1:3] == [str(one), str(two)]
    (tmp_path / "home" / "models.json").write_text('{"a": 1}')
    assert shelf.remembered() == []
    (tmp_path / "home" / "models.json").write_text("[")
    assert shelf.remembered() == []


def test_ollama(folder: Folder, tmp_path: Path) -> None:
    """A manifest names the file that holds the weights; one that leads elsewhere is not followed."""
    root = tmp_path / "ollama"
    blob = root / "blobs" / "sha256-0123"
    blob.parent.mkdir(parents=True)
    write_gguf(folder("llama"), blob)
    shutil.copy(blob, tmp_path / "outside")

    def manifest(name: str, digest: str) -> None:
        path = root / "manifests" / "registry" / "library" / name / "1b"
        path.parent.mkdir(parents=True)
        layers = [
            {"mediaType": "application/vnd.ollama.image.model", "digest": digest},
            {"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:4"},
        ]
        path.write_text(json.dumps({"layers": layers}))

    manifest("tiny", "sha256:0123")
    manifest("odd", "../../outside")
    manifest("gone", "sha256:4567")
    here = [each for each in shelf.shelf() if "Ollama" in each.title]
    assert [(each.name, each.title) for each in here] == [(str(blob), "tiny:1b (Ollama)")]
    assert load_model(here[0].name).score([("a", " b")])


def test_the_hubs_cache(folder: Folder, tmp_path: Path) -> None:
    snapshot = tmp_path / "cache" / "models--some--model" / "snapshots" / "abc"
    shutil.copytree(folder("gpt2"), snapshot)
    (tmp_path / "cache" / "models--half--loaded" / "snapshots" / "abc").mkdir(parents=True)
    listed = found()
    assert listed["some/model"].place == "cache"
    assert "half/loaded" not in listed


# What each card's config.json says of its shape.
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "openai-community/gpt2": ("gpt2", {}),
    "distilbert/distilgpt2": ("gpt2", {"n_layer": 6}),
    "EleutherAI/pythia-160m": (
        "gpt_neox",
        {"hidden_size": 768, "num_hidden_layers": 12, "intermediate_size": 3072, "vocab_size": 50304},
    ),
    "HuggingFaceTB/SmolLM2-135M-Instruct": ("llama", {"shape": (576, 30, 9, 3, 1536, 49152, True)}),
    "HuggingFaceTB/SmolLM2-360M-Instruct": ("llama", {"shape": (960, 32, 15, 5, 2560, 49152, True)}),
    "google/gemma-3-270m-it": ("gemma3_text", {"shape": (640, 18, 4, 1, 2048, 262144, True), "head_dim": 256}),
    "Qwen/Qwen2.5-0.5B-Instruct": ("qwen2", {"shape": (896, 24, 14, 2, 4864, 151936, True)}),
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0": ("llama", {"shape": (2048, 22, 32, 4, 5632, 32000, False)}),
}
NAMES = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "intermediate_size",
    "vocab_size",
    "tie_word_embeddings",
)


@pytest.mark.parametrize("name", [each.name for each in shelf.HUB])
def test_parameters_of_the_hubs_models_are_counted(name: str) -> None:
    """By building each, without its weights; and its architecture is one whose every way of reading is tested."""
    kind, how = SHAPES[name]
    shape = dict(zip(NAMES, how.pop("shape", ()), strict=False))
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **shape, **how))
    (said,) = (each.parameters for each in shelf.HUB if each.name == name)
    assert sum(weight.numel() for weight in model.parameters()) == said
    assert kind in {known for known, _ in ARCHITECTURES.values()}


def test_a_download_is_counted_in_megabytes(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the hub's client tells its bars is what is heard; and it can be stopped."""
    files = {"config.json": 1_000_000, "model.safetensors": 9_000_000, "model.onnx": 5_000_000, "a/b.json": 7_000_000}

    class Listing:
        siblings = [type("File", (), {"rfilename": name, "size": size})() for name, size in files.items()]  # noqa: RUF012

    def fetch(name: str, local_files_only: bool = False, tqdm_class: Any = None, **how: Any) -> str:
        from huggingface_hub.errors import LocalEntryNotFoundError

        if local_files_only:
            raise LocalEntryNotFoundError("none")
        bar, of_files = tqdm_class(desc="Bytes", total=0, unit="B"), tqdm_class(desc="Files", total=2)
        for _ in range(4):
            bar.update(2_500_000)
        of_files.update(2)
        return str(folder("gpt2"))

    monkeypatch.setattr("huggingface_hub.model_info", lambda name, **how: Listing())
    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    heard: list[Progress] = []
    with reporting(heard.append):
        assert hub.download("some/model") == folder("gpt2")
    assert [(one.done, one.total, one.unit) for one in heard[:4]] == [(n, 10, "MB") for n in (2, 5, 7, 10)]
    assert heard[3].share == pytest.approx(0.6)
    stops = iter((False, False, True))
    with pytest.raises(Cancelled):
        hub.download("some/model", lambda: next(stops))


def test_none_of_the_hubs_models_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for each in shelf.HUB:
        with pytest.raises(ModelError, match="not on this machine and the hub cannot be reached"):
            load_model(each.name)
