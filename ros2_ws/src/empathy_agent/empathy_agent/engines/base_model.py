"""Base models: any of Hugging Face by name or folder, a GGUF file made trainable, a tiny one for trials."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GgufConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)
from transformers.utils import logging

from empathy_agent.errors import first_line

DEFAULT_BASE = "Qwen/Qwen2.5-1.5B-Instruct"
ADAPTER_CONFIG = "adapter_config.json"
CARD_FILE = "card.json"
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_END = "<|im_end|>"
_PADDING = "<|endoftext|>"
_TINY_VOCABULARY = 3000
_TINY_SEQUENCE = 4096


def has_bf16() -> bool:
    """Whether there is a GPU that computes in bf16; on these processors it is slower than fp32."""
    return torch.cuda.is_available() and torch.cuda.is_bf16_supported()


def new_adapter(rank: int, layers: range | None = None) -> LoraConfig:
    """A low-rank adapter (LoRA, Hu et al. 2022, ICLR) on all linear layers of the network, or of some of its blocks."""
    wanted = "all-linear"
    if layers is not None:
        wanted = rf".*\.layers\.({'|'.join(map(str, layers))})\..*_proj"
    return LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=wanted, task_type="CAUSAL_LM")


def load_base(name: str) -> tuple[Any, Any]:
    """Model and tokenizer of a folder or a Hugging Face name: bf16 on a GPU that has it, else fp32.

    Raises:
        ValueError: there is no such model, or it cannot be fetched.
    """
    logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        model = AutoModelForCausalLM.from_pretrained(name, dtype=torch.bfloat16 if has_bf16() else torch.float32)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"base model {name} cannot be loaded: {first_line(error)}; name a folder, a model of Hugging Face, or make "
            "one with `imuface empathy base`"
        ) from None
    if tokenizer.chat_template is None:
        raise ValueError(f"base model {name} has no chat template; take one that is tuned to instructions")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer


def adapter_config(adapter: Path) -> dict[str, Any]:
    """What PEFT wrote about a low-rank adapter; it names its base.

    Raises:
        ValueError: the folder holds none.
    """
    try:
        config = json.loads((adapter / ADAPTER_CONFIG).read_text(encoding="utf-8"))
        if config["peft_type"] != "LORA" or not config["base_model_name_or_path"]:
            raise ValueError("it is not LoRA, or does not name its base")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{adapter} holds no adapter: {first_line(error)}") from None
    return config


def adapted(model: Any, adapter: Path, trainable: bool = True) -> Any:
    """A base with an adapter on top.

    Raises:
        ValueError: they do not fit each other.
    """
    try:
        return PeftModel.from_pretrained(model, str(adapter), is_trainable=trainable)
    except (OSError, ValueError, RuntimeError) as error:
        raise ValueError(f"adapter {adapter} does not fit its base: {first_line(error)}") from None


def load_merged(adapter: Path) -> tuple[Any, Any]:
    """Model and tokenizer of an adapter's base with the adapter merged into it.

    Raises:
        ValueError: adapter or base cannot be loaded, or do not fit each other.
    """
    model, tokenizer = load_base(str(adapter_config(adapter)["base_model_name_or_path"]))
    return adapted(model, adapter, trainable=False).merge_and_unload(), tokenizer


def save_tiny_base(folder: Path, texts: Iterable[str], seed: int = 0) -> None:
    """Write an untrained model of 0.4 million weights with a tokenizer of its own: for trying the stages in seconds."""
    tokenizer = train_tokenizer(texts, _TINY_VOCABULARY)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=_END, pad_token=_PADDING, model_max_length=_TINY_SEQUENCE
    )
    fast.chat_template = CHATML
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=len(fast),
        hidden_size=64,
        intermediate_size=192,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=_TINY_SEQUENCE,
        tie_word_embeddings=True,
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.pad_token_id,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    fast.save_pretrained(folder)


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> Tokenizer:
    """A byte-pair tokenizer of at most ``vocabulary`` entries, made for some texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[_PADDING, "<|im_start|>", _END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def save_trainable(gguf: Path, folder: Path) -> None:
    """Write a GGUF file's weights in a form that can be trained; takes minutes and several times the file's memory.

    The file keeps its output layer apart from its embedding, as two roundings of what was one (cosine 0.997 to 0.999
    for Qwen2.5): they are tied again.

    Raises:
        ValueError: it is not a GGUF file that Transformers knows.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        model = AutoModelForCausalLM.from_pretrained(
            gguf.parent,
            gguf_file=gguf.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.float32,
        )
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{gguf} cannot be made trainable: {first_line(error)}") from None
    model.config.tie_word_embeddings = True
    model.tie_weights()
    if tokenizer.chat_template is None:
        tokenizer.chat_template = CHATML
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
