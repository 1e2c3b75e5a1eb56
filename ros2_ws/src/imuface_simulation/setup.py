from setuptools import find_packages, setup

setup(
    name="imuface_simulation",
    version="0.1.0",
    description="Simulated earphones: a performance moves a participant's ears, and two IMUs measure it.",
    maintainer="Earnest contributors",
    maintainer_email="earnest@example.org",
    license="Apache-2.0",
    packages=find_packages(include=["imuface_simulation", "imuface_simulation.*"]),
    # Versions are pinned once, in requirements.txt at the repository's root.
    install_requires=["numpy", "scipy"],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/imuface_simulation"]),
        ("share/imuface_simulation", ["package.xml"]),
    ],
)
