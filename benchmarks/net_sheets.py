"""Results of the nets to look at: input, result and truth, from our own shots; written into the documentation."""

from __future__ import annotations

from benchmarks.results import REPOSITORY
from vfxgen.report.net_sheets import SIDE, Rows, inpaint_rows, key_rows, matte_rows, upscale_rows
from vfxgen.report.sheet import write_sheet

PICTURES = REPOSITORY / "docs" / "pictures"
KEYED = ((1001, 300, 90), (1012, 380, 60))
MATTED = ((1006, 300, 60), (1018, 330, 90))
RIGGED = ((1012, 420, 120), (1004, 560, 150))
"""Frame, and the corner of the crop that is shown."""


def main() -> None:
    """One sheet for each net."""
    sheets: dict[str, Rows] = {
        "net_key": [row for place in KEYED for row in key_rows(*place)],
        "net_matte_trimap": [row for place in MATTED for row in matte_rows("trimap", *place)],
        "net_matte_coarse": [row for place in MATTED for row in matte_rows("rough", *place)],
        "net_inpaint": [row for place in RIGGED for row in inpaint_rows(*place)],
        "net_upscale_gan": [row for place in RIGGED for row in upscale_rows("upscale-x4-gan", 4, *place)],
    }
    for name, rows in sheets.items():
        write_sheet(rows, str(PICTURES / f"{name}.jpg"), SIDE)


if __name__ == "__main__":
    main()
