"""Learns what messages do and mean from labelled ones."""
