"""Other models: loaded in the background, run in the background, and every failure one sentence."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from core import ModelChoice
from pages.ui.jobs import engine
from tests.models.gguf_files import write_gguf
from tests.pages.conftest import Page
from tests.tiny import folder


def wait(page: Page, until, seconds: float = 60) -> Page:
    """Run the page, as its timer does in a browser, until something holds."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.1)
        page.run()
    return page


def form(page: Page, name: str) -> Page:
    page.at.session_state["frame_model_box"] = True
    page.run()
    page.at.text_input(key="frame_model_name").set_value(name)
    return page.press("model_load")


def test_a_local_folder(playground: Page) -> None:
    form(playground, str(folder("gpt2")))
    wait(playground, lambda: playground.study.model.name != "embedded")
    wait(playground, lambda: playground.has_chart("answer"))
    # No mixture: no exact answer beside the model's, and hypotheses are the one way to a posterior.
    assert len(playground.chart("answer")["data"]) == 1
    assert len(playground.chart("posterior")["data"]) == 1
    assert len(playground.chart("kernels")["data"][0]["z"]) == 2
    playground.at.session_state["frame_model_box"] = True
    playground.run().press("model_embedded")
    assert len(playground.chart("answer")["data"]) == 2


def captions(page: Page) -> str:
    return "\n".join(caption.value for caption in page.at.caption).replace("\\", "")


def test_a_gguf_file(playground: Page, tmp_path: Path) -> None:
    """What it takes is said once its path is typed, then it loads; one of two in a folder is asked for by name."""
    file = write_gguf(folder("llama"), tmp_path / "tiny.gguf", settings={"general.license": "apache-2.0"})
    playground.at.session_state["frame_model_box"] = True
    playground.run()
    playground.at.text_input(key="frame_model_name").set_value(str(file)).run()
    said = captions(playground)
    assert "licence apache-2.0" in said
    assert re.search(r"[\d.]+ MB in float32. To unpack it takes [\d.]+ MB and about \d+ s;", said), said
    form(playground, str(file))
    wait(playground, lambda: playground.study.model.name == str(file))
    wait(playground, lambda: playground.has_chart("answer"))
    playground.at.session_state["frame_model_box"] = True
    playground.run()
    assert "rebuilt from the GGUF file" in captions(playground)

    write_gguf(folder("llama"), tmp_path / "other.gguf")
    playground.at.text_input(key="frame_model_name").set_value(str(tmp_path)).run()
    assert "holds 2 GGUF files" in captions(playground)
    form(playground, str(tmp_path))
    wait(playground, lambda: playground.at.session_state["job_load"] is None)
    assert "holds 2 GGUF files" in playground.said
    assert playground.study.model.name == str(file)


def test_the_menu_of_known_models(playground: Page, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It names what lies in the operator's folder and what the hub has; a choice fills in the name, and without a
    network one sentence says what is missing."""
    monkeypatch.setenv("ICLENS_HUB", "1")
    monkeypatch.setenv("ICLENS_MODELS", str(tmp_path))
    file = write_gguf(folder("llama"), tmp_path / "tiny.gguf", settings={"general.name": "Tiny"})
    playground.at.session_state["frame_model_box"] = True
    playground.run()
    menu = playground.at.selectbox(key="frame_model_known")
    assert menu.options[0].startswith("Tiny (tiny.gguf)")
    assert menu.options[0].endswith("on this machine")
    assert menu.options[-1].endswith("on the hub")
    menu.set_value(str(file)).run()
    assert playground.at.text_input(key="frame_model_name").value == str(file)
    playground.press("model_load")
    wait(playground, lambda: playground.study.model.name == str(file))

    playground.at.session_state["frame_model_box"] = True
    playground.run()
    playground.at.selectbox(key="frame_model_known").set_value("openai-community/gpt2").run()
    playground.press("model_load")
    wait(playground, lambda: playground.at.session_state["job_load"] is None)
    assert "the hub cannot be reached" in playground.said
    assert playground.study.model.name == str(file)


@pytest.mark.parametrize("name", ["/no/such/folder", "no-such-model-anywhere", ""])
def test_a_model_that_is_not_there(playground: Page, name: str) -> None:
    before = playground.study
    form(playground, name)
    wait(playground, lambda: playground.at.session_state["job_load"] is None if name else True)
    sentences = [element.value for element in playground.at.info]
    assert len(sentences) == 1 or any("Type the hub id" in text for text in sentences)
    assert playground.study == before
    assert playground.has_chart("answer")


def test_the_operator_can_keep_folders_out(playground: Page, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("ICLENS_MODELS", str(tmp_path))
    form(playground, str(folder("gpt2")))
    assert "one folder only" in playground.said
    form(playground, " openai-community/gpt2")
    assert "none from the hub" in playground.said
    assert playground.study.model == engine.EMBEDDED
    assert playground.has_chart("answer")


def test_a_link_never_loads_a_model_by_itself(playground: Page) -> None:
    playground.edit(model=ModelChoice(name="someone/else"))
    assert "not loaded" in playground.said
    assert not playground.has_chart("answer")
    playground.press("use_embedded")
    assert playground.has_chart("answer")


def test_a_load_can_be_cancelled(playground: Page, monkeypatch) -> None:
    import core

    monkeypatch.setattr(core, "load_model", lambda choice, stop: time.sleep(1.5))
    form(playground, "slow/model")
    assert playground.at.get("progress")
    playground.at.button(key="load_cancel").click()
    playground.run()
    assert playground.at.session_state["job_load"] is None
    time.sleep(1.6)
    assert playground.run().study.model == engine.EMBEDDED


def test_a_run_shows_progress_and_can_be_cancelled(playground: Page, monkeypatch) -> None:
    choice = ModelChoice(name=str(folder("llama")))
    engine.models().put(choice.model_dump_json(), core_model := __import__("core").load_model(choice))
    real = engine.compute

    def slow(study, model, kept, stop=None):
        from core.errors import Cancelled

        for _ in range(40):
            if stop is not None and stop():
                raise Cancelled
            time.sleep(0.05)
        return real(study, model, kept, stop)

    monkeypatch.setattr(engine, "compute", slow)
    assert not playground.dimmed
    playground.edit(model=choice)
    assert core_model.mixture is None
    assert playground.at.get("progress")
    # What is on screen in full is never an older study's: that one stays, dimmed.
    assert "playground_card_answer" in playground.dimmed
    playground.at.button(key="run_cancel").click()
    playground.run()
    wait(playground, lambda: "Stopped" in playground.said)
    assert not playground.has_chart("answer")
    playground.press("run_again")
    wait(playground, lambda: not playground.dimmed)
    assert playground.has_chart("answer")
    # The last edit wins: an edit while one is under way replaces it.
    playground.edit(query="cat")
    playground.edit(query="dog")
    wait(playground, lambda: not playground.dimmed)
    assert ">dog</span>" in playground.prompt


def test_a_16_bit_models_rounding_is_said(playground: Page) -> None:
    """In the form of the model, and among the notes on the answer."""
    name = str(folder("gpt2"))
    playground.at.session_state["frame_model_dtype"] = "bfloat16"
    form(playground, name)
    wait(playground, lambda: playground.study.model.name != "embedded")
    wait(playground, lambda: playground.has_chart("answer"))
    assert playground.study.model.dtype == "bfloat16"
    playground.at.session_state["frame_model_box"] = True
    playground.run()
    captions = [caption for caption in playground.at.caption if "bfloat16" in f"{caption.value} {caption.help}"]
    assert len(captions) == 2
    for caption in captions:
        assert "nats on average" in f"{caption.value} {caption.help}"
