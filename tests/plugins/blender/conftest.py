"""Fixtures for every test of the extension; in a module of their own, since mypy takes one conftest alone."""

from blender_fixtures import blender as blender
from blender_fixtures import shot as shot
