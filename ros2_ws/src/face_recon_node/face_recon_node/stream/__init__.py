"""Samples of two earphones on one clock, calibrated, and what they tell of how the earphones are worn. Free of ROS."""
