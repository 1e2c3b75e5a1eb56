from setuptools import find_packages, setup

setup(
    name="imuface_node",
    version="0.1.0",
    description="The autostarting lifecycle node that every Earnest node is built on.",
    maintainer="Earnest contributors",
    maintainer_email="earnest@example.org",
    license="Apache-2.0",
    packages=find_packages(include=["imuface_node", "imuface_node.*"]),
    # Versions are pinned once, in requirements.txt at the repository's root.
    install_requires=[],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/imuface_node"]),
        ("share/imuface_node", ["package.xml"]),
    ],
)
