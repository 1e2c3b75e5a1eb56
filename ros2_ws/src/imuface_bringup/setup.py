from setuptools import find_packages, setup

setup(
    name="imuface_bringup",
    version="0.1.0",
    description="Launch files, RViz configuration, viewer and the imuface command.",
    maintainer="Earnest contributors",
    maintainer_email="earnest@example.org",
    license="Apache-2.0",
    packages=find_packages(include=["imuface_bringup", "imuface_bringup.*"]),
    # Versions are pinned once, in requirements.txt at the repository's root.
    install_requires=["numpy", "PyYAML", "matplotlib", "psutil", "rerun-sdk", "rich", "rosbags", "typer"],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/imuface_bringup"]),
        ("share/imuface_bringup", ["package.xml"]),
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
