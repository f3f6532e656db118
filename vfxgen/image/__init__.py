"""Numerics that operators share: pure functions on pixels."""
