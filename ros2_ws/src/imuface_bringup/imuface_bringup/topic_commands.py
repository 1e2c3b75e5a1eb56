"""The commands ``imuface topics`` and ``imuface echo``: what goes over the topics right now."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Annotated, Any

import numpy as np
import typer
import yaml
from imuface_core import topics as table
from imuface_node import message_class
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.topic_endpoint_info import TopicEndpointInfo

from imuface_bringup.client import PATIENCE, Client
from imuface_bringup.launch_file.errors import suggestion
from imuface_bringup.options import Namespace

_DEPTH = 100
_SHOWN = 64  # elements of an array that are printed
_SETTLING = 1.0  # s
_OF_ROS = re.compile("/(_action/.*|transition_event|rosout|parameter_events)$")


def topics(
    seconds: Annotated[float, typer.Option(help="How long to listen.", min=0.5, max=3600.0)] = 3.0,
    everything: Annotated[bool, typer.Option("--all", help="Of all people, and ROS's own, too.")] = False,
    namespace: Namespace = "imuface",
) -> None:
    """List a person's topics: messages per second, type, and who publishes and subscribes.

    Listens to all of them meanwhile, so the node makes a mesh for it, too.

    \b
    imuface topics
    imuface topics --seconds 10 --namespace anna
    imuface topics --all
    """
    with Client(namespace) as client:
        if not client.until(lambda: any(name.startswith(client.full("")) for name in _found(client, everything))):
            raise client.absence("node")
        client.until(lambda: False, patience=_SETTLING)  # some are found before others
        kinds = _found(client, everything)
        counts: Counter[str] = Counter()
        heard = {name for name, kind in kinds.items() if _listen(client, name, kind, partial(_count, counts, name))}
        client.until(lambda: False, patience=_SETTLING)  # until the publishers know of this subscriber
        counts.clear()
        started = time.monotonic()
        client.until(lambda: False, patience=seconds)
        elapsed = time.monotonic() - started
        rows = [("topic", "Hz", "type", "from", "to")]
        for name, kind in kinds.items():
            publishers = _others(client, client.node.get_publishers_info_by_topic(name))
            subscribers = _others(client, client.node.get_subscriptions_info_by_topic(name))
            if publishers or subscribers:
                rate = f"{counts[name] / elapsed:.1f}" if name in heard else "?"
                rows.append((name, rate, kind.replace("/msg/", "/"), publishers or "-", subscribers or "-"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if unknown := sorted({kinds[name] for name in kinds.keys() - heard}):
        typer.echo(f"?: the type is not installed here ({', '.join(unknown)})")


def echo(
    topic: Annotated[str, typer.Argument(help="Topic, such as face/affect or /diagnostics.")],
    count: Annotated[int, typer.Option(help="Stop after so many messages; 0: at Ctrl-C.", min=0)] = 0,
    timeout: Annotated[float, typer.Option(help="Seconds of silence after which to give up; 0: never.", min=0)] = 10.0,
    namespace: Namespace = "imuface",
) -> None:
    """Print the messages of a topic as YAML.

    Of a long array, the first elements are printed, and how many more there are.

    \b
    imuface echo face/affect
    imuface echo left/imu/data_raw --count 1
    imuface echo dialogue/reply --timeout 0
    imuface echo /diagnostics --namespace anna
    """
    with Client(namespace) as client:
        name = client.full(topic)

        if not client.until(lambda: client.node.count_publishers(name)):
            there = [each for each in _found(client, False) if client.node.count_publishers(each)]
            known = suggestion(topic, (each.removeprefix(client.full("")) for each in there))
            raise TimeoutError(f"nobody publishes {name} within {PATIENCE:g} s; {known}")
        kind = dict(client.node.get_topic_names_and_types())[name][0]
        waiting: list[Any] = []
        if not _listen(client, name, kind, waiting.append, raw=False):
            raise ValueError(f"{name} carries {kind}, a type that is not installed here")
        printed = 0
        while not count or printed < count:
            if not client.until(lambda: waiting, timeout or 3600.0) and timeout:
                raise TimeoutError(f"nothing came on {name} for {timeout:g} s; --timeout 0 waits on")
            for message in waiting[: count - printed if count else None]:
                typer.echo(f"{as_yaml(message)}---")
                printed += 1
            waiting.clear()


def _found(client: Client, everything: bool) -> dict[str, str]:
    """The types of topics by their names: those of the person and of everybody, or really all."""
    shared = ("/clock", *(topic for topic in table.KNOWN if topic.startswith("/")))
    return {
        name: types[0]
        for name, types in sorted(client.node.get_topic_names_and_types())
        if everything or name in shared or (name.startswith(client.full("")) and not _OF_ROS.search(name))
    }


def _others(client: Client, endpoints: Iterable[TopicEndpointInfo]) -> str:
    """Who is at the ends, but for this command."""
    names = {f"{each.node_namespace.rstrip('/')}/{each.node_name}" for each in endpoints}
    return ", ".join(sorted(name.removeprefix(client.full("")) for name in names - {client.own_name}))


def _listen(client: Client, name: str, kind: str, callback: Any, *, raw: bool = True) -> bool:
    """Subscribe in a way that fits every publisher; whether the type is installed."""
    try:
        message = message_class(kind)
    except (ImportError, AttributeError, ValueError):
        return False
    offered = [each.qos_profile for each in client.node.get_publishers_info_by_topic(name)]
    reliable = bool(offered) and all(each.reliability == ReliabilityPolicy.RELIABLE for each in offered)
    kept = bool(offered) and all(each.durability == DurabilityPolicy.TRANSIENT_LOCAL for each in offered)
    profile = QoSProfile(
        depth=_DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if kept else DurabilityPolicy.VOLATILE,
    )
    client.node.create_subscription(message, name, callback, profile, raw=raw)
    return True


def _count(counts: Counter[str], name: str, message: bytes) -> None:
    counts[name] += 1


def as_yaml(message: Any) -> str:
    """A message as a YAML document, its fields in their order."""
    return str(yaml.safe_dump(_plain(message), sort_keys=False, allow_unicode=True, width=110, default_flow_style=None))


def _plain(value: Any, kind: str = "") -> Any:
    """A value of the type ``kind``, such as ``sequence<float>``, in what YAML knows."""
    if hasattr(value, "get_fields_and_field_types"):
        return {
            field: _plain(getattr(value, field), kind) for field, kind in value.get_fields_and_field_types().items()
        }
    if isinstance(value, bytes):  # of the type byte: one
        return value[0] if len(value) == 1 else list(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and "float" in kind:
        return float(f"{value:.7g}")  # all that single precision holds
    if isinstance(value, str | bool | int | float):
        return value
    elements = [_plain(each, kind) for each in value[:_SHOWN]]
    return [*elements, f"and {len(value) - _SHOWN} more"] if len(value) > _SHOWN else elements
