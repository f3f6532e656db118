"""`python -m vfxgen` is the `vfxgen` command."""

from vfxgen.cli import main

main()
