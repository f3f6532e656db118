"""Nets as data: a folder with a card and weights each, found by name, gated by licence, fetched when asked for."""
