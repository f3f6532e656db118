"""Sequences that look along time: motion between frames, what is carried by it, what other frames show of a hole."""
