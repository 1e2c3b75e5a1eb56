"""The commands ``imuface earphones`` and ``imuface pair``: how the earphones do, what is around, which bud is left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import typer
from face_recon_node.commands.console import progress_bar
from imuface_core import topics
from imuface_core.earphone import EARS, Ear
from imuface_core.recording import ImuTrack
from imuface_core.stamps import to_ns
from imuface_driver.bluetooth.radio import Seen, look
from imuface_driver.pairing import nod_fault, tapped
from imuface_node import qos
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text  # for what others wrote, which may hold rich's markup
from sensor_msgs.msg import Imu

from imuface_bringup.client import PATIENCE, Client
from imuface_bringup.observer import Health, Observer
from imuface_bringup.options import Namespace
from imuface_bringup.parameter_commands import RemoteNode

DRIVER, FACE = "imuface_driver", "face_recon_node"
REFRESH = 0.5  # s
STALE = 4.0  # s without a report; they come every second


def earphones(
    scan: Annotated[bool, typer.Option("--scan", help="List the Bluetooth devices around instead.")] = False,
    seconds: Annotated[float, typer.Option(help="With --scan: how long to listen.", min=0.5, max=600.0)] = 5.0,
    adapter: Annotated[str, typer.Option(help="With --scan: Bluetooth adapter, such as hci0.")] = "",
    once: Annotated[bool, typer.Option("--once", help="Print the state now, and end.")] = False,
    namespace: Namespace = "imuface",
) -> None:
    """Show both ears of the running driver: rate, losses, battery, signal, gravity, clock, and how they are worn.

    Ctrl-C ends it. With --scan, list the Bluetooth devices around, earphones first; no driver need run.

    \b
    imuface earphones
    imuface earphones --once --namespace anna
    imuface earphones --scan
    """
    console = Console()
    if scan:
        console.print(around(asyncio.run(look(seconds, adapter))))
        return
    with Observer(namespace) as observer:
        deadline = time.monotonic() + PATIENCE
        while not observer.health(DRIVER):
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"no {DRIVER} reports in /{namespace.strip('/')} within {PATIENCE:g} s; start one (imuface up "
                    "earphones), or name the person with --namespace"
                )
            time.sleep(0.1)
        if once or not console.is_terminal:
            console.print(state(observer.health(DRIVER), observer.health(FACE)))
            return
        try:
            _watch(observer, console)
        except KeyboardInterrupt:
            return


def _watch(observer: Observer, console: Console) -> None:
    reports, since = list(observer.health(DRIVER).values()), time.monotonic()
    with Live(console=console, auto_refresh=False) as live:
        while True:
            driver = observer.health(DRIVER)
            if any(new is not old for new, old in zip(driver.values(), reports, strict=False)):
                reports, since = list(driver.values()), time.monotonic()
            silence = time.monotonic() - since
            shown = state(driver, observer.health(FACE))
            if silence > STALE:
                shown = Group(shown, f"the driver has reported nothing for {silence:.0f} s: this is what it said last")
            live.update(shown, refresh=True)
            time.sleep(REFRESH)


def state(driver: Mapping[str, Health], face: Mapping[str, Health]) -> RenderableType:
    """What the driver, and the face node where one runs, said last, by their parts."""
    ears = {ear: health for ear in EARS if (health := driver.get(f"{ear} ear"))}
    if not ears:
        return Text("; ".join(health.message for health in driver.values()))
    table = Table(title=Text(", ".join(sorted({health.values.get("source", "?") for health in ears.values()}))))
    table.add_column("")
    for ear in ears:
        table.add_column(f"{ear} ear", max_width=44)
    for label, show in _ROWS.items():
        cells = [show(health.values) for health in ears.values()]
        if any(cells):
            table.add_row(label, *cells)
    table.add_row("state", *(Text(health.message) for health in ears.values()))
    if wearing := face.get("wearing"):
        return Group(table, Text(f"wearing: {wearing.message}"))
    return table


def _lost(values: Mapping[str, str]) -> str:
    lost, received = int(values.get("lost", 0)), int(values.get("received", 0))
    return f"{lost} of {lost + received} ({lost / max(lost + received, 1):.1%})"


def _with(unit: str, name: str) -> Any:
    return lambda values: "" if values.get(name, "unknown") in ("unknown", "nan") else f"{values[name]} {unit}"


_ROWS = {
    "rate": _with("Hz", "rate_hz"),
    "lost": _lost,
    "battery": _with("%", "battery_percent"),
    "signal": _with("dBm", "rssi_dbm"),
    "gravity": _with("m/s²", "gravity"),
    "clock": _with("ppm", "clock_drift_ppm"),
    "last seen": _with("s ago", "last_seen_s"),
}


def around(seen: list[Seen]) -> RenderableType:
    """The devices around, and how to use the earphones among them."""
    if not seen:
        return "no Bluetooth device in reach; is the adapter on? (bluetoothctl show)"
    table = Table()
    for column in ("name", "address", "signal", "earphone", "ear"):
        table.add_column(column, justify="right" if column == "signal" else "left")
    for each in seen:
        table.add_row(Text(each.name or "(no name)"), each.address, f"{each.rssi} dBm", each.kind, each.ear)
    if not any(each.kind for each in seen):
        return Group(table, "none of them is an earphone that is known: take them out of the case, and off any phone")
    return Group(table, "to use them: imuface up earphones source:=bluetooth left:=ADDRESS right:=ADDRESS")


def pair(
    seconds: Annotated[float, typer.Option(help="How long to nod, and to tap.", min=3.0, max=60.0)] = 6.0,
    namespace: Namespace = "imuface",
) -> None:
    """Find out whether the left bud is in the left ear: nod, then tap the left one.

    A driver must run. The exit code is 1 when the buds are exchanged; how to put that right is printed.

    \b
    imuface pair
    imuface pair --namespace anna
    """
    with Client(namespace) as client:
        ears = _Ears(client)
        if not client.until(ears.both):
            raise TimeoutError(
                f"no samples of {' and '.join(ears.silent())} within {PATIENCE:g} s: both ears must send; "
                "imuface earphones tells what is wrong"
            )
        typer.echo("Put both buds in.")
        if fault := nod_fault(ears.listen("now nod, again and again, as in a clear yes", seconds)):
            raise ValueError(fault)
        typer.echo("Both buds are on one head. Sit still.")
        ear = tapped(ears.listen("now tap the bud in your LEFT ear with a finger, twice a second", seconds))
        if ear is None:
            raise ValueError("it is not clear which bud was tapped: sit still, and tap one of them only, harder")
        if ear == "left":
            typer.echo("The left bud is the left one: nothing is to be changed.")
            return
        typer.echo(f"The buds are exchanged: {_remedy(client)}")
    raise typer.Exit(1)


class _Ears:
    """What both ears of a person send."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._messages: dict[Ear, list[Imu]] = {ear: [] for ear in EARS}
        for ear, topic in topics.IMU.items():
            client.node.create_subscription(Imu, topic, self._messages[ear].append, qos(topic))

    def silent(self) -> list[str]:
        return [f"the {ear} ear" for ear in EARS if not self._messages[ear]]

    def both(self) -> bool:
        return not self.silent()

    def listen(self, what: str, seconds: float) -> dict[Ear, ImuTrack]:
        """Ask for something and take what comes meanwhile. Raises ``TimeoutError`` when an ear falls silent."""
        for messages in self._messages.values():
            messages.clear()
        begin = time.monotonic()
        with progress_bar() as progress:
            while (elapsed := time.monotonic() - begin) < seconds:
                self._client.step()
                progress(what, round(100 * elapsed / seconds), 100)
        if silent := self.silent():
            raise TimeoutError(f"{' and '.join(silent)} fell silent; imuface earphones tells what is wrong")
        return {ear: _track(messages) for ear, messages in self._messages.items()}


def _track(messages: list[Imu]) -> ImuTrack:
    def values(name: str) -> np.ndarray:
        vectors = [getattr(message, name) for message in messages]
        return np.array([(vector.x, vector.y, vector.z) for vector in vectors])

    stamps = np.array([to_ns(message.header.stamp) for message in messages])
    return ImuTrack(stamps, values("linear_acceleration"), values("angular_velocity"))


def _remedy(client: Client) -> str:
    names = ("source", "bluetooth.left", "bluetooth.right", "serial.left_port", "serial.right_port")
    try:
        source, *ends = RemoteNode(client, DRIVER).get(list(names))
    except TimeoutError:  # somebody else's driver
        source, ends = "", [""] * 4
    for kind, (left, right), arguments in (
        ("bluetooth", ends[:2], ("left", "right")),
        ("serial", ends[2:], ("left_port", "right_port")),
    ):
        if source == kind and left != right:
            settings = [f"{name}:={end}" for name, end in zip(arguments, (right, left), strict=True) if end]
            return f"start the driver with {' '.join(settings)}"
    return "put each bud into the other ear (they tell by themselves which ear they are)"
