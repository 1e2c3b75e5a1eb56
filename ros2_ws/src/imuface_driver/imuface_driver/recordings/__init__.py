"""What earphones recorded by themselves, or an app did for them: files in, one ear's track out."""

from imuface_driver.recordings.esense import read_table
from imuface_driver.recordings.openearable import read_openearable
from imuface_driver.recordings.track import Import, together

__all__ = ["Import", "read_openearable", "read_table", "together"]
