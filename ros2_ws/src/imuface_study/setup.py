from setuptools import find_packages, setup

setup(
    name="imuface_study",
    version="0.1.0",
    description="Studies of face models: simulated people, all models in all settings, published protocols.",
    maintainer="Earnest contributors",
    maintainer_email="earnest@example.org",
    license="Apache-2.0",
    packages=find_packages(include=["imuface_study", "imuface_study.*"]),
    # Versions are pinned once, in requirements.txt at the repository's root.
    install_requires=["numpy", "scipy", "matplotlib", "PyYAML", "rich", "typer"],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/imuface_study"]),
        ("share/imuface_study", ["package.xml"]),
    ],
)
