"""Robots that listen: cues beside the words, a voice, ears, and a reference robot in the browser."""
