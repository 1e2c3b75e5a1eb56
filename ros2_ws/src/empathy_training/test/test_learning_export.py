"""Export of adapters: llama.cpp says with the converted one what Transformers says with the original."""

from __future__ import annotations

import functools
import json
import shutil
import threading
from pathlib import Path

import pytest
import yaml
from empathy_agent.engines import Decoding, EngineError
from empathy_agent.engines.factory import open_engine
from empathy_agent.engines.llama_cpp import LlamaCpp
from empathy_agent.models import TEST_MODEL, Store, load_catalogue
from empathy_agent.prompt import Message

gguf = pytest.importorskip("gguf", reason="needs requirements-empathy.txt")
torch = pytest.importorskip("torch", reason="needs requirements-empathy.txt")

from empathy_agent.engines.base_model import CHATML, load_base, new_adapter, save_tiny_base, save_trainable  # noqa: E402
from empathy_training.learning.export import export_gguf, export_merged, register  # noqa: E402
from peft import get_peft_model  # noqa: E402

PROMPT = [Message(role="user", content="My desk was moved to the corridor.")]


def random_adapter(base: Path, folder: Path, strength: float) -> Path:
    """An adapter whose weights were drawn, not learned, so that every matrix of it matters."""
    torch.manual_seed(0)
    model = get_peft_model(load_base(str(base))[0], new_adapter(4))
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=strength)
    model.save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="module")
def base(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small real model in full precision: of the kind of Llama, whose heads are kept in another order."""
    folder = tmp_path_factory.mktemp("base") / "base"
    with pytest.MonkeyPatch.context() as patch:
        # Transformers reads the file three times, and makes the table of names anew for each of 400 modules.
        for name in ("GGUFReader", "get_tensor_name_map"):
            patch.setattr(gguf, name, functools.cache(getattr(gguf, name)))
        save_trainable(small_model, folder)
    return folder


@pytest.fixture(scope="module")
def adapter(base: Path) -> Path:
    return random_adapter(base, base.parent / "adapter", strength=0.02)


def spoken_by_transformers(folder: Path) -> str:
    model, tokenizer = load_base(str(folder))
    tokenizer.chat_template = CHATML
    ids = tokenizer.apply_chat_template(PROMPT, add_generation_prompt=True, return_tensors="pt", return_dict=False)
    out = model.generate(ids, max_new_tokens=12, do_sample=False)
    return tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)


def spoken_by_llama_cpp(small_model: Path, adapter: Path | None) -> str:
    engine = LlamaCpp(small_model, TEST_MODEL, context=2048, prompt_format="chatml", adapter=adapter)
    try:
        decoding = Decoding(max_tokens=12, temperature=0.0, min_p=0.0, dry_multiplier=0.0, whole=False)
        return "".join(engine.stream(PROMPT, decoding, threading.Event()))
    finally:
        engine.close()


def test_llama_cpp_says_with_the_adapter_what_transformers_says(
    base: Path, adapter: Path, small_model: Path, tmp_path: Path
) -> None:
    assert export_gguf(adapter, tmp_path / "adapter.gguf") == 2 * 7 * 30
    export_merged(adapter, tmp_path / "merged")
    merged = spoken_by_transformers(tmp_path / "merged")
    assert spoken_by_llama_cpp(small_model, tmp_path / "adapter.gguf") == merged
    assert spoken_by_llama_cpp(small_model, None) == spoken_by_transformers(base) != merged


def test_the_agent_loads_an_adapter_by_name(
    adapter: Path, small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    export_gguf(adapter, tmp_path / "ours.gguf")
    catalogue = tmp_path / "config" / "earnest" / "models.yaml"
    register("ours", TEST_MODEL, tmp_path / "ours.gguf", catalogue, load_catalogue())
    engine = open_engine("ours")
    try:
        assert (engine.model, engine.worked_examples, engine.scaffold) == ("ours", False, False)
        assert "".join(engine.stream(PROMPT, Decoding(max_tokens=4, whole=False), threading.Event()))
    finally:
        engine.close()
    with pytest.raises(ValueError, match="the catalogue has a model 'ours'; choose another name"):
        register("ours", TEST_MODEL, tmp_path / "ours.gguf", catalogue, load_catalogue())
    with pytest.raises(ValueError, match="unknown model 'nope'; known: listener, ours, "):
        register("more", "nope", tmp_path / "ours.gguf", catalogue, load_catalogue())
    (tmp_path / "ours.gguf").unlink()
    with pytest.raises(OSError, match=r"model ours is not at .*ours\.gguf; check the path"):
        Store().path("ours")


def test_a_damaged_adapter_is_named(small_model: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(EngineError, match=r"broken\.gguf does not load"):
        LlamaCpp(small_model, TEST_MODEL, adapter=tmp_path / "broken.gguf")


def test_what_cannot_be_exported_is_refused(tmp_path: Path) -> None:
    save_tiny_base(tmp_path / "tiny", ["a few words"])
    whole = random_adapter(tmp_path / "tiny", tmp_path / "adapter", 0.1)
    assert export_gguf(whole, tmp_path / "a.gguf") == 2 * 7 * 4
    with pytest.raises(ValueError, match="tiny holds no adapter"):
        export_gguf(tmp_path / "tiny", tmp_path / "a.gguf")
    config = json.loads((whole / "adapter_config.json").read_text())
    changes = {
        "use_dora": (True, "uses use_dora, which llama.cpp does not know"),
        "base_model_name_or_path": (str(tmp_path / "gone"), "which is not found from here"),
        "peft_type": ("IA3", "it is not LoRA"),
    }
    for name, (value, message) in changes.items():
        other = shutil.copytree(whole, tmp_path / name)
        (other / "adapter_config.json").write_text(json.dumps(config | {name: value}))
        with pytest.raises(ValueError, match=message):
            export_gguf(other, tmp_path / "a.gguf")
    (whole / "adapter_model.safetensors").write_bytes(b"none")
    with pytest.raises(ValueError, match="is damaged"):
        export_gguf(whole, tmp_path / "a.gguf")


def test_an_adapter_needs_a_whole_model(tmp_path: Path) -> None:
    entry = {
        "title": "t",
        "licence": "MIT",
        "languages": ["en"],
        "context": 4096,
        "bytes": None,
        "sha256": None,
        "source": {"adapter": {"model": "nope", "file": "a.gguf"}},
    }
    (tmp_path / "models.yaml").write_text(yaml.safe_dump({"ours": entry}))
    with pytest.raises(ValueError, match="its adapter is for 'nope', which is no whole model"):
        load_catalogue(tmp_path / "models.yaml")
