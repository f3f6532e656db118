"""The one exception of the extension."""


class Problem(Exception):
    """What went wrong and what to do about it, in a sentence for the node's status."""
