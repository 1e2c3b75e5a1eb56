from setuptools import find_packages, setup

setup(
    name="face_recon_node",
    version="0.1.0",
    description="Earphone IMU windows to facial landmarks, blendshapes, mesh and affect; training.",
    maintainer="Earnest contributors",
    maintainer_email="earnest@example.org",
    license="Apache-2.0",
    packages=find_packages(include=["face_recon_node", "face_recon_node.*"]),
    package_data={"face_recon_node.head": ["*.npz"], "face_recon_node.models.signature": ["weights/*"]},
    # Versions are pinned once, in requirements.txt at the repository's root.
    install_requires=["numpy", "scipy", "imufusion", "threadpoolctl", "PyYAML", "rich", "typer", "trimesh"],
    extras_require={"training": ["torch"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/face_recon_node"]),
        ("share/face_recon_node", ["package.xml"]),
    ],
    entry_points={
        "console_scripts": [
            "face_recon_node = face_recon_node.node:main",
            "reference_node = face_recon_node.reference_node:main",
            "camera_node = face_recon_node.camera_node:main",
        ],
    },
)
