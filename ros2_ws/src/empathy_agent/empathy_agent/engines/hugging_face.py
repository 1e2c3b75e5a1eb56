"""Engine for folders of Hugging Face models and adapters: what a training left behind, on a GPU where there is one."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList, TextIteratorStreamer

from empathy_agent.engines import Cancelled, CutOff, Decoding, Engine, EngineError
from empathy_agent.engines.base_model import ADAPTER_CONFIG, CARD_FILE, load_base, load_merged
from empathy_agent.engines.thoughts import without_thoughts
from empathy_agent.errors import first_line
from empathy_agent.prompt import Message

_CONTEXT = 8192


class HuggingFace(Engine):
    """Streams text from a model or an adapter of :mod:`empathy_training.learning`.

    Output is not held to a grammar, and the DRY penalty is left out: what is heard is the model itself. A folder with
    the card of a stage of training is asked without worked examples. Raises ``EngineError`` when it does not load.
    """

    supports_grammar = False
    scaffold = False

    def __init__(self, folder: Path) -> None:
        self.model = folder.name
        self.worked_examples = not (folder / CARD_FILE).exists()
        try:
            adapted = (folder / ADAPTER_CONFIG).exists()
            self._model, self._tokenizer = load_merged(folder) if adapted else load_base(str(folder))
        except (OSError, ValueError, RuntimeError) as error:
            raise EngineError(f"{folder} does not load: {first_line(error)}") from None
        self._model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
        self.context = min(_CONTEXT, int(self._model.config.max_position_embeddings))

    def stream(self, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> Iterator[str]:
        """See :class:`empathy_agent.engines.Engine`."""
        return without_thoughts(self._generate(messages, decoding, cancelled))

    def _generate(self, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> Iterator[str]:
        inputs = self._tokenizer.apply_chat_template(
            list(messages), add_generation_prompt=True, return_tensors="pt", return_dict=True
        ).to(self._model.device)
        room = self.context - inputs["input_ids"].shape[1]
        if room < 1:
            raise EngineError(f"the prompt does not fit the {self.context} tokens of {self.model}")
        streamer = TextIteratorStreamer(self._tokenizer, skip_prompt=True, skip_special_tokens=True)
        sampling = {"do_sample": True, "temperature": decoding.temperature, "min_p": decoding.min_p}
        options: dict[str, Any] = {
            "max_new_tokens": min(decoding.max_tokens, room),
            "stopping_criteria": StoppingCriteriaList([_WhenSet(cancelled)]),
            "streamer": streamer,
            **(sampling if decoding.temperature > 0.0 else {"do_sample": False}),
        }
        if decoding.stop:
            options |= {"stop_strings": list(decoding.stop), "tokenizer": self._tokenizer}
        if decoding.seed is not None:
            torch.manual_seed(decoding.seed)
        failure: list[Exception] = []
        output: list[torch.Tensor] = []

        def generate() -> None:
            try:
                with torch.inference_mode():
                    output.append(self._model.generate(**inputs, **options))
            except (RuntimeError, ValueError) as error:
                failure.append(error)
            finally:
                streamer.end()

        thread = threading.Thread(target=generate, daemon=True)
        thread.start()
        yield from (text for text in streamer if text)
        thread.join()
        if cancelled.is_set():
            raise Cancelled
        if failure:
            raise EngineError(f"{self.model} failed: {first_line(failure[0])}")
        ends = self._model.generation_config.eos_token_id
        ends = ends if isinstance(ends, list) else [ends]
        tokens = output[0][0].tolist()
        full = len(tokens) - inputs["input_ids"].shape[1] >= options["max_new_tokens"]
        if decoding.whole and full and tokens[-1] not in ends:
            raise CutOff(f"the reply of {self.model} is not whole: max_tokens or the context ends it", "length")

    def close(self) -> None:
        """Release the model's memory."""
        self._model = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


class _WhenSet(StoppingCriteria):
    def __init__(self, event: threading.Event) -> None:
        self._event = event

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self._event.is_set(), device=input_ids.device)
