"""Pictures with their times, from a camera or a video file. They stay in memory."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from face_recon_node.camera import extra


class Picture(NamedTuple):
    """One frame."""

    time: float  # s
    rgb: NDArray[np.uint8]  # (height, width, 3)


class VideoFile:
    """A recorded video, read as fast as one likes. A context manager.

    Raises:
        OSError: there is no such file.
        ValueError: it is not a video that OpenCV can decode.
        ImportError: OpenCV is not installed.
    """

    def __init__(self, path: str | Path) -> None:
        if not Path(path).is_file():
            raise FileNotFoundError(f"no video at {path}")
        self._cv2 = extra.load("cv2")
        self._capture = _quiet(self._cv2, str(path))
        readable = self._capture.isOpened() and self._capture.grab()
        self.rate = float(self._capture.get(self._cv2.CAP_PROP_FPS))
        """Frames a second, nominally."""
        self.frames = int(self._capture.get(self._cv2.CAP_PROP_FRAME_COUNT))
        """How many the file says it has; 0 where it does not say."""
        if readable and self.rate > 0.0:
            self._capture.release()
            self._capture = _quiet(self._cv2, str(path))
        else:
            raise ValueError(f"{path} is not a video that OpenCV can decode; convert it to MP4 (H.264)")

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self._capture.release()

    def __iter__(self) -> Iterator[Picture]:
        """The frames in order, times in seconds since the first one, ascending; ends at the first unreadable one."""
        first, last, index = None, -1.0, 0
        while True:
            read, bgr = self._capture.read()
            if not read:
                return
            stamp = self._capture.get(self._cv2.CAP_PROP_POS_MSEC) * 1e-3
            first = stamp if first is None else first
            # Containers without time stamps give 0 for every frame.
            moment = stamp - first if stamp - first > last else max(index / self.rate, last + 1e-3)
            last, index = moment, index + 1
            yield Picture(moment, bgr[..., ::-1].copy())


class Live:
    """The newest picture of a camera, or of a video file that plays at its own speed; a context manager.

    A thread reads all the time, so that a slow consumer gets fresh pictures and not those of a queue; what it misses
    is counted in ``missed``. Times are seconds of ``time.monotonic()`` at the arrival of the picture.

    Args:
        source: number of a camera, or the path of a video.

    Raises:
        OSError: there is no such camera or file.
        ValueError: the file is not a video.
        ImportError: OpenCV is not installed.
    """

    def __init__(self, source: str) -> None:
        self.missed = 0
        self._video: VideoFile | None = None
        if source.isdecimal():
            self._cv2 = extra.load("cv2")
            self._capture = _quiet(self._cv2, int(source))
            if not (self._capture.isOpened() and self._capture.read()[0]):
                self._capture.release()
                raise OSError(f"camera {source} gives no picture: is it plugged in, free and allowed (/dev/video*)?")
        else:
            self._video = VideoFile(source)
        self._newest: Picture | None = None
        self._over = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Live:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
        if self._thread.ident is not None:
            self._thread.join()
        if self._video is None:
            self._capture.release()
        else:
            self._video.__exit__()

    def stop(self) -> None:
        """End the iteration; safe from any thread."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Picture]:
        """Pictures until :meth:`stop`, the end of the file, or the loss of the camera."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._newest is not None or self._over)
                if self._newest is None:
                    return
                picture, self._newest = self._newest, None
            yield picture

    def _read(self) -> None:
        for picture in self._camera() if self._video is None else self._playing(self._video):
            with self._changed:
                if self._over:
                    return
                self.missed += self._newest is not None
                self._newest = picture
                self._changed.notify_all()
        self.stop()

    def _camera(self) -> Iterator[Picture]:
        while True:
            read, bgr = self._capture.read()
            if not read:
                return
            yield Picture(time.monotonic(), bgr[..., ::-1].copy())

    def _playing(self, video: VideoFile) -> Iterator[Picture]:
        start = time.monotonic()
        for picture in video:
            time.sleep(max(0.0, start + picture.time - time.monotonic()))
            yield Picture(start + picture.time, picture.rgb)


def _quiet(cv2: Any, source: str | int) -> Any:
    """A capture that leaves the complaint about a bad source to us."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        return cv2.VideoCapture(source)
    finally:
        cv2.utils.logging.setLogLevel(level)
