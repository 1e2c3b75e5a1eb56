"""A trained adapter for where it is to run: as GGUF for llama.cpp, or merged into its base."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import yaml
from empathy_agent.engines.base_model import adapter_config, load_merged
from empathy_agent.errors import first_line
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file
from transformers import AutoConfig

_ARCHITECTURES = {
    "qwen2": gguf.MODEL_ARCH.QWEN2,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
    "llama": gguf.MODEL_ARCH.LLAMA,
    "mistral": gguf.MODEL_ARCH.LLAMA,
}
_WEIGHT = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<matrix>[AB])\.weight")
_UNUSUAL = ("use_dora", "use_rslora", "rank_pattern", "alpha_pattern", "modules_to_save")


def export_gguf(adapter: Path, path: Path) -> int:
    """Convert a low-rank adapter of PEFT into one of llama.cpp, in half precision.

    Args:
        adapter: folder that a stage of training wrote.
        path: ``.gguf`` file to write.

    Returns:
        The number of converted matrices.

    Raises:
        OSError, ValueError: the folder holds no adapter, or one that llama.cpp has no form for.
    """
    config = adapter_config(adapter)
    unusual = [name for name in _UNUSUAL if config.get(name)]
    if unusual:
        raise ValueError(f"{adapter} uses {', '.join(unusual)}, which llama.cpp does not know; merge it with --merge")
    try:
        base = AutoConfig.from_pretrained(config["base_model_name_or_path"])
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{adapter} was trained on {config['base_model_name_or_path']}, which is not found from here: "
            f"{first_line(error)}"
        ) from None
    if base.model_type not in _ARCHITECTURES:
        known = ", ".join(_ARCHITECTURES)
        raise ValueError(
            f"bases of the kind {base.model_type} cannot be converted, only {known}; merge it with --merge, and "
            "convert the whole model with llama.cpp's own script"
        )
    try:
        weights = load_file(adapter / "adapter_model.safetensors")
    except SafetensorError as error:
        raise ValueError(f"{adapter}/adapter_model.safetensors is damaged: {first_line(error)}") from None
    architecture = _ARCHITECTURES[base.model_type]
    names = gguf.get_tensor_name_map(architecture, base.num_hidden_layers)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[architecture])
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, float(config["lora_alpha"]))
    rotated = _rotated_heads(base)
    for key, weight in sorted(weights.items()):
        found = _WEIGHT.fullmatch(key)
        name = names.get_name(found["module"] + ".weight", try_suffixes=(".weight",)) if found else None
        if found is None or name is None:
            raise ValueError(f"{adapter} holds the weight {key}, which llama.cpp has no name for")
        heads = rotated.get(found["module"].rpartition(".")[2])
        if found["matrix"] == "B" and heads:
            weight = _interleaved(weight, heads)
        writer.add_tensor(f"{name}.lora_{found['matrix'].lower()}", weight.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return len(weights)


def export_merged(adapter: Path, folder: Path) -> None:
    """Write the base with the adapter merged into it, as a model that Transformers and vLLM load.

    Raises:
        OSError, ValueError: adapter or base cannot be loaded, or do not fit each other.
    """
    merged, tokenizer = load_merged(adapter)
    merged.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def register(name: str, of: str, adapter: Path, catalogue: Path, models: Mapping[str, Any]) -> None:
    """Add an exported adapter to the user's catalogue of models, so that the agent loads it by name.

    Args:
        name: the new model's.
        of: the catalogue's name of the model that the adapter was trained on.
        adapter: the ``.gguf`` file.
        catalogue: the user's file, made where there is none. Comments in it are kept: the entry is added at the end.
        models: the whole catalogue as it is.

    Raises:
        ValueError: the name is taken, or there is no such model.
    """
    if of not in models:
        raise ValueError(f"unknown model {of!r}; known: {', '.join(sorted(models))}")
    if name in models:
        raise ValueError(f"the catalogue has a model {name!r}; choose another name, or take it out of {catalogue}")
    entry = {
        "title": f"{models[of].title} with the adapter {adapter.name}",
        "licence": models[of].licence,
        "languages": list(models[of].languages),
        "context": models[of].context,
        "prompt_format": models[of].prompt_format,
        "worked_examples": False,
        "bytes": adapter.stat().st_size,
        "sha256": None,
        "source": {"adapter": {"model": of, "file": str(adapter.resolve())}},
    }
    catalogue.parent.mkdir(parents=True, exist_ok=True)
    with catalogue.open("a", encoding="utf-8") as stream:
        stream.write("\n" + yaml.safe_dump({name: entry}, sort_keys=False, allow_unicode=True))


def _rotated_heads(config: Any) -> dict[str, int]:
    """Projections whose heads llama.cpp keeps in another order than Transformers, and how many heads each has."""
    if _ARCHITECTURES[config.model_type] is not gguf.MODEL_ARCH.LLAMA:
        return {}
    return {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}


def _interleaved(weight: NDArray[Any], heads: int) -> NDArray[Any]:
    """(rows, columns), the two halves of each head's rows dealt out in turn.

    Transformers rotates the first half of a head against the second, llama.cpp each even row against the next one.
    """
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)
