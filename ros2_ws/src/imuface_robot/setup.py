from setuptools import find_packages, setup

setup(
    name="imuface_robot",
    version="0.1.0",
    description="Robots that listen: cues beside the words, a voice, ears, and a reference robot in the browser.",
    maintainer="Earnest contributors",
    maintainer_email="earnest@example.org",
    license="Apache-2.0",
    packages=find_packages(include=["imuface_robot", "imuface_robot.*"]),
    package_data={"imuface_robot": ["page/*"]},
    # Versions are pinned once, in requirements.txt at the repository's root.
    install_requires=["aiohttp", "numpy", "opencc", "typer"],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/imuface_robot"]),
        ("share/imuface_robot", ["package.xml"]),
    ],
    entry_points={
        "console_scripts": [
            "cue_node = imuface_robot.cue_node:main",
            "listen_node = imuface_robot.listen_node:main",
            "robot_node = imuface_robot.robot_node:main",
            "speech_node = imuface_robot.speech_node:main",
        ],
    },
)
