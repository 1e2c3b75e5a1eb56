"""The interfaces as they are installed: constants that other code and other robots rely on."""

from __future__ import annotations

from imuface_core.bag import typestore
from imuface_core.topics import TF
from imuface_interfaces.action import Calibrate, Respond
from imuface_interfaces.msg import AffectState, Blendshapes, EmpathyReply, FacialLandmarks
from imuface_node import GraphClient, message_class


def constants(interface: type, prefix: str = "") -> dict[str, object]:
    """The constants that an interface declares, by name."""
    metaclass = type(interface)
    names = vars(metaclass)[f"_{metaclass.__name__}__constants"]
    return {name: value for name, value in names.items() if name.startswith(prefix)}


def test_landmark_groups_are_contiguous_and_complete() -> None:
    groups = [
        "RIGHT_BROW",
        "LEFT_BROW",
        "NOSE_BRIDGE",
        "NOSE_BASE",
        "RIGHT_EYE",
        "LEFT_EYE",
        "OUTER_LIPS",
        "INNER_LIPS",
    ]
    covered = [
        index
        for group in groups
        for index in range(
            getattr(FacialLandmarks, f"{group}_START"),
            getattr(FacialLandmarks, f"{group}_START") + getattr(FacialLandmarks, f"{group}_COUNT"),
        )
    ]
    assert covered == list(range(FacialLandmarks.COUNT))
    assert len(FacialLandmarks().points) == FacialLandmarks.COUNT == 51


def test_blendshape_constants_number_the_weights() -> None:
    order = constants(Blendshapes)
    order.pop("COUNT")
    assert sorted(order.values()) == list(range(Blendshapes.COUNT))  # type: ignore[type-var]
    assert len(Blendshapes().weights) == Blendshapes.COUNT == 52


def test_expression_labels_are_unique() -> None:
    labels = list(constants(AffectState).values())
    assert len(labels) == len(set(labels)) == 25


def test_codes_are_distinct_and_success_is_zero() -> None:
    assert Respond.Result.SUCCESS == Calibrate.Result.SUCCESS == EmpathyReply.RISK_NONE == 0
    for interface, prefix in ((Respond.Result, ""), (Calibrate.Result, ""), (EmpathyReply, "RISK_")):
        codes = list(constants(interface, prefix).values())
        assert len(codes) >= 3
        assert len(codes) == len(set(codes))


def test_the_message_of_tf_is_the_one_of_ros() -> None:
    """It is built here where ROS 2 comes from PyPI; name and hash of a type decide whether others understand it."""
    with GraphClient("hash", "/") as client:
        client.node.create_publisher(message_class(TF.type), TF, 1)
        (publisher,) = client.node.get_publishers_info_by_topic(TF)
    assert publisher.topic_type == TF.type
    assert str(publisher.topic_type_hash) == typestore().hash_rihs01(TF.type)
