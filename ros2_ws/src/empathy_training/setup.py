from setuptools import find_packages, setup

setup(
    name="empathy_training",
    version="0.1.0",
    description="Data, training and evaluation of the empathetic model, and studies with people.",
    maintainer="Earnest contributors",
    maintainer_email="earnest@example.org",
    license="Apache-2.0",
    packages=find_packages(include=["empathy_training", "empathy_training.*"]),
    package_data={"": ["*.yaml", "*.jsonl", "*.html"]},
    # Versions are pinned once, in requirements.txt and requirements-empathy.txt at the repository's root.
    install_requires=["numpy", "pydantic", "PyYAML", "rich", "typer"],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/empathy_training"]),
        ("share/empathy_training", ["package.xml"]),
    ],
)
