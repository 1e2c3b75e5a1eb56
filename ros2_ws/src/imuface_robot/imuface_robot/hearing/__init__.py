"""A recogniser of this machine: sound in, utterances out. Nothing here knows ROS, and nothing writes what was said."""
