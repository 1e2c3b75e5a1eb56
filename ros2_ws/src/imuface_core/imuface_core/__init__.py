"""What every Earnest package agrees on: ears, recordings, bags, topics and names. Free of ROS."""
