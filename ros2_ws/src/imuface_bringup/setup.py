from pathlib import Path

from setuptools import find_packages, setup


def files(folder):
    """The files of a folder beside this file: a link to the one at the repository's root."""
    return [str(path) for path in sorted(Path(folder).iterdir()) if path.is_file()]


setup(
    name="imuface_bringup",
    version="0.1.0",
    description="Launch files, RViz configuration, viewer and the imuface command.",
    maintainer="Earnest contributors",
    maintainer_email="earnest@example.org",
    license="Apache-2.0",
    packages=find_packages(include=["imuface_bringup", "imuface_bringup.*"]),
    package_data={"imuface_bringup": ["data/*"]},
    # Versions are pinned once, in requirements.txt at the repository's root.
    install_requires=["numpy", "PyYAML", "matplotlib", "psutil", "pyserial", "rerun-sdk", "rich", "rosbags", "typer"],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/imuface_bringup"]),
        ("share/imuface_bringup", ["package.xml"]),
        ("share/imuface_bringup/launch", files("launch")),
        ("share/imuface_bringup/rviz", files("rviz")),
    ],
    entry_points={
        "console_scripts": [
            "imuface = imuface_bringup.cli:main",
            "viewer_node = imuface_bringup.viewer_node:main",
            "recorder_node = imuface_bringup.recorder_node:main",
            "player_node = imuface_bringup.player_node:main",
        ],
    },
)
