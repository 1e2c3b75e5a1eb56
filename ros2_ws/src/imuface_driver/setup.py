from setuptools import find_packages, setup

setup(
    name="imuface_driver",
    version="0.1.0",
    description="Any earphone in, sensor_msgs/Imu out, on one clock.",
    maintainer="Earnest contributors",
    maintainer_email="earnest@example.org",
    license="Apache-2.0",
    packages=find_packages(include=["imuface_driver", "imuface_driver.*"]),
    # Versions are pinned once, in requirements.txt at the repository's root.
    install_requires=["numpy", "scipy", "pyserial", "cobs", "fastcrc", "bleak"],
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/imuface_driver"]),
        ("share/imuface_driver", ["package.xml"]),
    ],
    entry_points={
        "console_scripts": [
            "imuface_driver = imuface_driver.node:main",
        ],
    },
)
