from setuptools import find_packages, setup

setup(
    name="imuface_avatar",
    version="0.1.0",
    description="The reconstructed face to avatars: VMC, VRChat OSC and Live Link Face.",
    maintainer="Earnest contributors",
    maintainer_email="earnest@example.org",
    license="Apache-2.0",
    packages=find_packages(include=["imuface_avatar", "imuface_avatar.*"]),
    # Versions are pinned once, in requirements.txt at the repository's root.
    install_requires=["numpy", "scipy", "python-osc"],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/imuface_avatar"]),
        ("share/imuface_avatar", ["package.xml"]),
    ],
    entry_points={
        "console_scripts": [
            "avatar_node = imuface_avatar.node:main",
        ],
    },
)
