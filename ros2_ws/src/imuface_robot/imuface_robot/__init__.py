"""Robots that listen: cues beside the words, a voice, and a reference robot in the browser."""
