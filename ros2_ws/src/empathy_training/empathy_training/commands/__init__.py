"""The commands of ``imuface empathy``."""
