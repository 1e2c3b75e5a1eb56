from setuptools import find_packages, setup

setup(
    name="imuface_core",
    version="0.1.0",
    description="What every Earnest package agrees on: ears, recordings, bags, topics and names. Free of ROS.",
    maintainer="Earnest contributors",
    maintainer_email="earnest@example.org",
    license="Apache-2.0",
    packages=find_packages(include=["imuface_core", "imuface_core.*"]),
    # Versions are pinned once, in requirements.txt at the repository's root.
    install_requires=["numpy", "rosbags", "mcap", "lz4", "zstandard", "PyYAML", "typer"],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/imuface_core"]),
        ("share/imuface_core", ["package.xml"]),
    ],
)
