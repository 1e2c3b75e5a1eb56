"""How well and how quickly the recogniser of this machine understands a synthetic voice.

espeak-ng says eight sentences in each language; it is no person, and its Mandarin less so than its English. The errors
are words in English and characters in Chinese, inserted, left out or wrong, to those that were said; the times are
those of the recogniser for a whole sentence, beside how long the sentence is. Needs espeak-ng, `make hearing`,
`imuface hearing get` and requirements-dev.txt. ``python benchmarks/hearing.py [--model FOLDER]``, or for your own
speakers ``--recordings FOLDER --locale zh-CN``: NAME.wav (16 kHz, one channel, 16 bits) with what is said in NAME.txt.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from imuface_robot.hearing.model import find
from imuface_robot.hearing.recogniser import Whisper
from imuface_robot.hearing.sources import RATE, Sound, WavFile
from imuface_robot.voices import espeak_voice
from nltk import edit_distance
from scipy.signal import resample_poly

SENTENCES = {
    "en-US": (
        "I lost my job last week and I cannot sleep.",
        "My mother is in the hospital and I do not know what to do.",
        "I had a fight with my best friend yesterday.",
        "Nobody at work listens to what I say.",
        "I finally passed my exam and I am so happy.",
        "Thank you for listening to me tonight.",
        "My dog died this morning and the house is so quiet.",
        "I am afraid that I will fail again.",
    ),
    "zh-CN": (
        "我上个星期丢了工作，晚上睡不着。",
        "我妈妈住院了，我不知道该怎么办。",
        "昨天我和最好的朋友吵架了。",
        "在公司没有人听我说话。",
        "我终于通过了考试，我很高兴。",
        "谢谢你今天晚上听我说话。",
        "今天早上我的狗死了，家里很安静。",
        "我害怕自己会再次失败。",
    ),
}
ESPEAK_RATE = 22_050  # Hz


def main(
    model: Annotated[str, typer.Option(help="Folder of another Whisper model of CTranslate2.")] = "",
    threads: Annotated[int, typer.Option(help="Of the recogniser.")] = 2,
    recordings: Annotated[
        Path | None, typer.Option(help="Folder of NAME.wav and NAME.txt instead of the voice.")
    ] = None,
    locale: Annotated[str, typer.Option(help="Of the recordings.")] = "zh-CN",
    noise: Annotated[float, typer.Option(help="Signal to white noise, dB.")] = float("inf"),
    show: Annotated[bool, typer.Option("--show", help="Print what was understood.")] = False,
) -> None:
    print(f"load average {os.getloadavg()[0]:.1f}, {threads} threads")
    if recordings is None:
        spoken = {tag: [(text, said(text, tag)) for text in sentences] for tag, sentences in SENTENCES.items()}
    else:
        files = sorted(recordings.glob("*.wav"))
        if not files:
            raise SystemExit(f"{recordings} holds no WAV file; it takes NAME.wav with what is said in NAME.txt")
        try:
            spoken = {
                locale: [(file.with_suffix(".txt").read_text(encoding="utf-8"), WavFile(file).sound) for file in files]
            }
        except (OSError, ValueError) as error:
            raise SystemExit(str(error)) from None
    draw = np.random.default_rng(0)
    for tag, sentences in spoken.items():
        recogniser = Whisper(find(model), tag, threads)
        recogniser(sentences[0][1])  # what is done once is not counted
        wrong = units = 0
        times = []
        for sentence, sound in sentences:
            loudness = np.sqrt(np.mean(sound**2)) / 10 ** (noise / 20)
            noisy = sound + loudness * draw.standard_normal(len(sound), dtype=np.float32)
            began = time.perf_counter()
            text = recogniser(noisy.astype(np.float32)).text
            times.append(time.perf_counter() - began)
            wanted = split(sentence, tag)
            wrong += edit_distance(wanted, split(text, tag))
            units += len(wanted)
            if show:
                print(f"  {sentence.strip()} -> {text}")
        seconds = sum(len(sound) for _, sound in sentences) / RATE
        print(
            f"{tag}: {wrong / units:.3f} wrong of {units}; a sentence of {seconds / len(sentences):.1f} s takes "
            f"{statistics.median(times):.2f} s (at most {max(times):.2f} s); real time × {sum(times) / seconds:.2f}"
        )


def said(sentence: str, locale: str) -> Sound:
    """The sound of a sentence."""
    command = ["espeak-ng", "--stdin", "--stdout", "-v", espeak_voice(locale), "-s", "150"]
    content = subprocess.run(command, input=sentence.encode(), capture_output=True, check=True).stdout
    return resample_poly(np.frombuffer(content[44:], "<i2") / 32768.0, RATE, ESPEAK_RATE).astype(np.float32)


def split(text: str, locale: str) -> list[str]:
    """Words, or characters of Chinese, without punctuation."""
    plain = "".join(letter for letter in text.lower() if letter.isalnum() or letter == " ")
    return list(plain.replace(" ", "")) if locale.startswith("zh") else plain.split()


if __name__ == "__main__":
    typer.run(main)
