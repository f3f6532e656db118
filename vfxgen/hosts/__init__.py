"""Hosts: programs such as Blender and Nuke, which run vfxgen in a worker process of its own (docs/hosts.md)."""
