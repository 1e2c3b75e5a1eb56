"""How long a person waits for the agent: partial utterances, the second turn, a cold start, llama.cpp by itself.

Every figure is the time to the first text that the model generates, in seconds, with its baseline of the same run and
the ratio to it; medians. The baseline of a post in partial utterances is the same post without them, that of a second
turn the first turn, that of a cold start one without the evaluated instructions on disk, that of the agent llama.cpp's
server with the very same prompt. Run it on an idle machine: ``python benchmarks/latency.py [--model NAME]``.
"""

from __future__ import annotations

import json
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from empathy_agent.dialogue import Dialogue, Reply
from empathy_agent.engines import Engine
from empathy_agent.engines.factory import open_engine
from empathy_agent.models import BASE_MODEL
from empathy_agent.request import request
from empathy_agent.worker import Job, Worker
from rich.console import Console
from rich.table import Table

POST = (
    "上个月我妈妈摔了一跤，骨头断了，在医院住了三个星期。我每天下班先去医院，给她擦身、喂饭，晚上十点多才到家，孩子已经睡了。"
    "我丈夫说他工作忙，周末也在加班，家里的事从来不问。前天我在走廊里给他打电话，他说别人家的老人也住院，怎么就你这么多事。"
    "我当时就愣住了，半天没说出话来。我不是要他做多少，我只是想有个人问我一句累不累。昨天护士说妈妈的费用要续交，我才发现卡里"
    "的钱不够了，我去找哥哥商量，他说他刚买了房，手头紧，让我先垫着。从小到大，家里有事都是我来，哥哥只要开口，妈妈什么都给他。"
    "我坐在楼梯间里哭了很久，又怕妈妈看见，洗了脸才回去。晚上回家，孩子问我为什么眼睛红红的，我说风吹的。我已经连着好多天睡"
    "不到五个小时，白天开会的时候脑子是空的，领导问我话我都没听见。我不敢请假，组里正在裁人。我有时候觉得自己像一个机器，谁都"
    "可以来按一下。可是机器坏了还有人修，我要是倒下了，谁来管我呢。我不知道还能跟谁说这些，朋友们也都有自己的家。写到这里天都快"
    "亮了，等一下还要去医院送早饭。我就是想问一问，我是不是太计较了。"
)[:524]
HEADS = ("一二三四五六七八九", "甲乙丙丁戊己庚辛壬", "子丑寅卯辰巳午未申", "天地玄黄宇宙洪荒日")
SECOND = "今天早上哥哥突然来了医院，放下一袋水果就走了，妈妈高兴了一整天，还说他工作那么忙也不容易。"


def first_text(worker: Worker, text: str, session: str) -> float:
    """Seconds from a post to the first text of its reply."""
    done: queue.Queue[Any] = queue.Queue()
    worker.submit(Job(text, done.put, session_id=session))
    reply = done.get(timeout=600.0)
    assert isinstance(reply, Reply), reply
    return reply.seconds_to_first_token


def spoken(worker: Worker, text: str, session: str, seconds: float, parts: int) -> None:
    """Publish a post in partial utterances, as a speech recogniser would."""
    for part in range(1, parts + 1):
        worker.prepare(text[: len(text) * part // (parts + 1)], "", session)
        time.sleep(seconds / parts)


def alone(engine: Engine, text: str) -> float:
    """Seconds to the first text of llama.cpp's server with the agent's own prompt."""
    prompt, decoding = request(engine, "zh", text)
    started = time.monotonic()
    stream = engine.stream(prompt, decoding, threading.Event())
    next(stream)
    first = time.monotonic() - started
    stream.close()  # type: ignore[attr-defined]
    return first


def cold(model: str, home: Path) -> float:
    """Seconds that ``imuface ask`` takes to its first text, model and interpreter started."""
    started = time.monotonic()
    command = [sys.executable, "-m", "empathy_agent.cli", "ask", "--json", "--model", model, SECOND]
    output = subprocess.run(
        command, env=os.environ | {"EARNEST_PROMPTS": str(home)}, capture_output=True, text=True, check=True
    ).stdout
    reply = json.loads(output)
    return time.monotonic() - started - reply["seconds_total"] + reply["seconds_to_first_token"]


def main(
    model: Annotated[str, typer.Option(help="Model of the catalogue.")] = "",
    runs: Annotated[int, typer.Option(min=1, help="Of each.")] = 3,
    seconds: Annotated[float, typer.Option(help="That the post takes to be said.")] = 30.0,
) -> None:
    """Run the benchmark."""
    engine = open_engine(model or BASE_MODEL)
    dialogue = Dialogue(engine)
    worker = Worker(dialogue)
    dialogue.warm_up("zh", threading.Event())
    found: dict[str, list[float]] = {name: [] for name in ("whole", "parted", "second", "bare", "ours")}
    for run in range(runs):
        # Another beginning each time, or the server would know the post.
        posts = [f"{heads[run % 9]}。{POST}" for heads in HEADS]
        found["whole"].append(first_text(worker, posts[0], f"w{run}"))
        found["second"].append(first_text(worker, SECOND, f"w{run}"))
        spoken(worker, posts[1], f"p{run}", seconds, 10)
        found["parted"].append(first_text(worker, posts[1], f"p{run}"))
        found["bare"].append(alone(engine, posts[2]))
        found["ours"].append(first_text(worker, posts[3], f"o{run}"))
    worker.close()
    engine.close()
    with tempfile.TemporaryDirectory() as folder:
        starts = [cold(engine.model, Path(folder)) for _ in range(2)]
    table = Table("time to the first text", "s", "baseline", "s", "ratio")
    for name, values, base, against in (
        ("post in ten partial utterances", found["parted"], "whole post", found["whole"]),
        ("second turn", found["second"], "first turn", found["whole"]),
        ("whole post, agent", found["ours"], "llama.cpp's server, same prompt", found["bare"]),
        ("cold ask, instructions on disk", starts[1:], "cold ask, nothing on disk", starts[:1]),
    ):
        mine, other = statistics.median(values), statistics.median(against)
        table.add_row(name, f"{mine:.2f}", base, f"{other:.2f}", f"{mine / other:.2f}")
    console = Console(width=110)
    console.print(f"{engine.model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, medians of {runs}")
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
