"""Where samples come from. Each source is one class behind :class:`Source`, free of ROS."""

from imuface_driver.sources.bag import BagSource
from imuface_driver.sources.bluetooth import BluetoothSource
from imuface_driver.sources.serial import SerialSource
from imuface_driver.sources.simulated import SimulatedSource
from imuface_driver.sources.source import DeviceSource, FrameSource, Sink, Source
from imuface_driver.sources.udp import UdpSource

__all__ = [
    "BagSource",
    "BluetoothSource",
    "DeviceSource",
    "FrameSource",
    "SerialSource",
    "SimulatedSource",
    "Sink",
    "Source",
    "UdpSource",
]
