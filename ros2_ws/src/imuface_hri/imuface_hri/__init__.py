"""The reconstructed face as robots know humans: ROS4HRI (REP-155)."""
