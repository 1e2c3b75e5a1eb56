"""Bags: rosbag2 folders and their lone files, whole or cut off, read, written and mended in one place, without ROS.

``Storage`` gives every message of a bag, ``Bag`` those of one person; ``BagWriter`` writes a new one, and ``repair``
makes a whole one of what is left of another.
"""

from imuface_core.bag.person import Bag as Bag
from imuface_core.bag.person import RawMessage as RawMessage
from imuface_core.bag.person import header_stamp as header_stamp
from imuface_core.bag.person import named_topics as named_topics
from imuface_core.bag.person import normal as normal
from imuface_core.bag.person import people as people
from imuface_core.bag.person import stamp_layout as stamp_layout
from imuface_core.bag.storage import Storage as Storage
from imuface_core.bag.storage import beside as beside
from imuface_core.bag.storage import repair as repair
from imuface_core.bag.types import typestore as typestore
from imuface_core.bag.writer import BagWriter as BagWriter
from imuface_core.bag.writer import new_bag as new_bag
