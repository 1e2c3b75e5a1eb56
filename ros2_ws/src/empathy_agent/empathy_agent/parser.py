"""Streaming parser of the chain of empathy that survives malformed output."""

from __future__ import annotations

from empathy_agent.chain import THINK, Chain, Delta, Layer, has_format

_OPENING = {f"<{layer.tag}>".lower(): layer for layer in Layer}
# Any tag of the format ends the part before it; one that opens no part leaves the text after it outside.
_TAGS = [*_OPENING, *(f"</{layer.tag}>".lower() for layer in Layer), f"<{THINK}>", f"</{THINK}>"]
_LONGEST = max(map(len, _TAGS))


class ChainParser:
    """Takes the output in chunks cut anywhere, gives the text of each part as soon as it is certain.

    Never raises. An unclosed part ends at the next tag of the format, or with the output. Parts may come in any order;
    of a repeated part the first text counts. Text outside the parts is dropped. The concatenated deltas of a part are
    its final text, whatever the chunks were; white space at both ends is not part of it.
    """

    def __init__(self) -> None:
        self._output = ""
        self._pending = ""
        self._layer: Layer | None = None
        self._space = ""
        self._texts: dict[Layer, str] = {}

    @property
    def inside(self) -> bool:
        """Whether a part is open; of the parts before it, all is given."""
        return self._layer is not None

    def feed(self, chunk: str) -> list[Delta]:
        """The deltas that become certain with this chunk."""
        self._output += chunk
        self._pending += chunk
        return self._consume(final=False)

    def finish(self) -> tuple[list[Delta], Chain]:
        """The last deltas, and the whole chain."""
        deltas = self._consume(final=True)
        return deltas, Chain(dict(self._texts), has_format(self._output))

    def _consume(self, final: bool) -> list[Delta]:
        deltas: list[Delta] = []
        while self._pending:
            start = self._pending.find("<")
            if start < 0:
                self._add(self._pending, deltas)
                self._pending = ""
                break
            self._add(self._pending[:start], deltas)
            self._pending = self._pending[start:]
            head = self._pending[:_LONGEST].lower()
            tag = next((tag for tag in _TAGS if head.startswith(tag)), None)
            if tag is not None:
                self._open(_OPENING.get(tag))
                self._pending = self._pending[len(tag) :]
            elif not final and any(tag.startswith(head) for tag in _TAGS):
                break  # perhaps a tag: wait for the rest
            else:
                self._add("<", deltas)
                self._pending = self._pending[1:]
        return deltas

    def _open(self, layer: Layer | None) -> None:
        self._layer = None if layer in self._texts else layer
        self._space = ""

    def _add(self, text: str, deltas: list[Delta]) -> None:
        layer = self._layer
        if layer is None:
            return
        so_far = self._texts.get(layer, "")
        text = self._space + text if so_far else text.lstrip()
        kept = text.rstrip()
        self._space = text[len(kept) :]
        if not kept:
            return
        self._texts[layer] = so_far + kept
        if deltas and deltas[-1].layer == layer:
            deltas[-1] = Delta(layer, deltas[-1].text + kept)
        else:
            deltas.append(Delta(layer, kept))
