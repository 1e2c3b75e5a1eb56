from setuptools import find_packages, setup

setup(
    name="empathy_agent",
    version="0.1.0",
    description="Empathetic dialogue with a chain of empathy: engines, safety gate, sessions.",
    maintainer="Earnest contributors",
    maintainer_email="earnest@example.org",
    license="Apache-2.0",
    packages=find_packages(include=["empathy_agent", "empathy_agent.*"]),
    package_data={"": ["*.yaml", "*.jsonl", "*.html", "*.npz"]},
    # Versions are pinned once, in requirements.txt at the repository's root.
    install_requires=[
        "google-re2",
        "httpx",
        "httpx-sse",
        "numpy",
        "opencc",
        "pydantic",
        "PyYAML",
        "rich",
        "typer",
        "xllamacpp",
    ],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/empathy_agent"]),
        ("share/empathy_agent", ["package.xml"]),
    ],
    entry_points={
        "console_scripts": [
            "empathy_agent = empathy_agent.node:main",
        ],
    },
)
