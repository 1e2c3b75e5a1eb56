"""What bleak and the stacks below it raise, in the words of people."""

from __future__ import annotations

from bleak.exc import BleakBluetoothNotAvailableError, BleakDBusError, BleakError
from bleak.exc import BleakBluetoothNotAvailableReason as Reason

FAILURES = (BleakError, OSError, EOFError, TimeoutError)
"""What bleak lets through."""
PATIENCE = 10.0
"""Seconds within which the stack is to have done what it was asked."""

_UNAVAILABLE = {
    Reason.NO_BLUETOOTH: "there is no Bluetooth adapter: plug one in, or hand it through to "
    "this virtual machine (bluetoothctl list shows what is there)",
    Reason.NO_BLE_CENTRAL_ROLE: "the Bluetooth adapter knows no Low Energy: use one of Bluetooth 4.0 or newer",
    Reason.POWERED_OFF: "Bluetooth is switched off: bluetoothctl power on (rfkill unblock bluetooth, where that fails)",
}
_NO_PERMISSION = (
    "this user may not use Bluetooth: sudo usermod -aG bluetooth $USER and log in anew (in a container: "
    "allow it in the policy of the system D-Bus)"
)
_NO_BLUEZ = "BlueZ does not run: sudo apt install bluez, and sudo systemctl start bluetooth"
_BY_DBUS_NAME = {
    "org.freedesktop.DBus.Error.ServiceUnknown": _NO_BLUEZ,
    "org.freedesktop.DBus.Error.NameHasNoOwner": _NO_BLUEZ,
    "org.freedesktop.DBus.Error.NoReply": _NO_BLUEZ,
    "org.freedesktop.DBus.Error.AccessDenied": _NO_PERMISSION,
    "org.bluez.Error.NotAuthorized": _NO_PERMISSION,
    "org.bluez.Error.NotPermitted": _NO_PERMISSION,
    "org.bluez.Error.NotReady": _UNAVAILABLE[Reason.POWERED_OFF],
}


def explain(error: BaseException) -> str:
    """Why the system's Bluetooth cannot be used, in one line, with the remedy."""
    if isinstance(error, BleakBluetoothNotAvailableError):
        return _UNAVAILABLE.get(error.reason, _NO_PERMISSION)
    if isinstance(error, BleakDBusError):
        if error.dbus_error.startswith("org.freedesktop.DBus.Error.Spawn"):
            return _NO_BLUEZ
        return _BY_DBUS_NAME.get(error.dbus_error, f"BlueZ refuses: {reason(error)}")
    if isinstance(error, PermissionError):
        return _NO_PERMISSION
    if isinstance(error, TimeoutError):
        return f"the system's Bluetooth does not answer within {PATIENCE:g} s: sudo systemctl restart bluetooth"
    if isinstance(error, OSError | EOFError):
        return (
            f"the system D-Bus, the way to BlueZ, is not there ({reason(error)}): sudo apt install dbus bluez "
            "(in a container: hand /run/dbus through)"
        )
    return f"Bluetooth cannot be used: {reason(error)}"


def reason(error: BaseException) -> str:
    """What an error of bleak says, in some words."""
    if isinstance(error, TimeoutError):
        return f"no answer within {PATIENCE:g} s"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
