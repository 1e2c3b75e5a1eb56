"""What the face showed in the last seconds, in words for the prompt."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

# Expressions (REP-155) as a person would say them.
_WORDS = {
    "zh": {
        "neutral": "平静", "angry": "生气", "sad": "难过", "happy": "高兴", "surprised": "惊讶", "disgusted": "厌恶",
        "scared": "害怕", "pleading": "恳求", "vulnerable": "脆弱", "despaired": "绝望", "guilty": "内疚",
        "disappointed": "失望", "embarrassed": "难为情", "horrified": "惊恐", "skeptical": "怀疑", "annoyed": "烦躁",
        "furious": "愤怒", "suspicious": "疑虑", "rejected": "被拒绝", "bored": "无聊", "tired": "疲惫",
        "asleep": "困倦", "confused": "困惑", "amazed": "惊叹", "excited": "兴奋",
    },
    "en": {},  # the labels are English words
}  # fmt: skip
_SENTENCES = {
    "zh": "最近{seconds:.0f}秒，脸上{share}显得{expression}，效价{valence:+.1f}",
    "en": "in the last {seconds:.0f} s the face looked {expression} {share}, valence {valence:+.1f}",
}
LEAST_CONFIDENCE = 0.5
"""A reading that is more likely wrong than right is not told."""
LEAST_SHARE = 0.3
"""Of the window, that has to be told for anything to be said."""
_SHARES = {"zh": ("多半时间", "有时"), "en": ("most of the time", "at times")}


@dataclass(frozen=True)
class Affect:
    """One reading of the face: stamp in seconds, valence in [-1, 1], an expression of REP-155, confidence in [0, 1]."""

    stamp: float
    valence: float
    expression: str
    confidence: float


class AffectWindow:
    """Keeps the readings of the last ``duration`` seconds of their own clock and summarises them."""

    def __init__(self, duration: float = 10.0) -> None:
        if not duration > 0:
            raise ValueError(f"affect window {duration} s must be positive")
        self.duration = duration
        self._readings: deque[Affect] = deque()

    def add(self, reading: Affect) -> None:
        """Take a reading; one that is older than the newest is dropped, a jump back of the clock starts anew."""
        if self._readings and reading.stamp < self._readings[-1].stamp - self.duration:
            self._readings.clear()
        if self._readings and reading.stamp < self._readings[-1].stamp:
            return
        self._readings.append(reading)
        while self._readings[0].stamp < reading.stamp - self.duration:
            self._readings.popleft()

    def summary(self, now: float, language: str) -> str:
        """The window before ``now`` (seconds) in ``"zh"`` or ``"en"``; empty without at least a second of readings.

        Each reading counts as much as its confidence; where the ears say too little, nothing is said. The face is a
        weak cue: the words carry no certainty, and the safety gate never sees them.
        """
        window = [reading for reading in self._readings if now - self.duration <= reading.stamp]
        recent = [reading for reading in window if reading.confidence >= LEAST_CONFIDENCE]
        if not window or len(recent) < LEAST_SHARE * len(window):
            return ""
        weights: Counter[str] = Counter()
        for reading in recent:
            weights[reading.expression] += reading.confidence  # type: ignore[assignment]
        total = sum(weights.values())
        if not total or window[-1].stamp - window[0].stamp < 1.0:
            return ""
        expression, weight = weights.most_common(1)[0]
        return _SENTENCES[language].format(
            seconds=self.duration,
            share=_SHARES[language][0 if weight > total / 2 else 1],
            expression=_WORDS[language].get(expression, expression),
            valence=sum(reading.valence * reading.confidence for reading in recent) / total,
        )
