"""From recorded sessions to segments that can be learned from."""
