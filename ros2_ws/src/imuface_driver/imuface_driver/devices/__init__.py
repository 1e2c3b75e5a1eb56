"""The earphones that the driver knows. A new one is a new file in this folder that defines ``DEVICE``."""

from importlib import import_module
from pkgutil import iter_modules

from imuface_driver.devices.device import ATT_HEADER, BATTERY_LEVEL, Decoder, Device, Step

__all__ = ["ATT_HEADER", "BATTERY_LEVEL", "DEVICES", "Decoder", "Device", "Step", "find"]


def find() -> dict[str, Device]:
    """Every ``DEVICE`` of the modules in this folder, by its name."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    devices = [module.DEVICE for module in modules if hasattr(module, "DEVICE")]
    return {device.name: device for device in devices}


DEVICES = find()
