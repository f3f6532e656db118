"""The version that stands in every published frame, and in its key.

A change that makes other pixels of the same request raises it: frames that were published before are then made again.
"""

__version__ = "0.3.0"
