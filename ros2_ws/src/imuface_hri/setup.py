from setuptools import find_packages, setup

setup(
    name="imuface_hri",
    version="0.1.0",
    description="The reconstructed face as robots know humans: ROS4HRI (REP-155).",
    maintainer="Earnest contributors",
    maintainer_email="earnest@example.org",
    license="Apache-2.0",
    packages=find_packages(include=["imuface_hri", "imuface_hri.*"]),
    # Versions are pinned once, in requirements.txt at the repository's root.
    install_requires=["numpy"],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/imuface_hri"]),
        ("share/imuface_hri", ["package.xml"]),
    ],
    entry_points={
        "console_scripts": [
            "hri_node = imuface_hri.node:main",
        ],
    },
)
