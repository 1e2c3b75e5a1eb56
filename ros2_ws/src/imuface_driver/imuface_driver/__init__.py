"""Any earphone in, sensor_msgs/Imu out, on one clock."""
