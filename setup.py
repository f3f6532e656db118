"""Place the top-level `nets/` folder in the package as `vfxgen/nets`; everything else stands in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

NETS = Path(__file__).parent / "nets"

packages = find_packages(include=["vfxgen", "vfxgen.*"])
locations: dict[str, str] = {}
if NETS.is_dir():
    packages.append("vfxgen.nets")
    locations["vfxgen.nets"] = "nets"

setup(
    packages=packages,
    package_dir=locations,
    package_data={"vfxgen": ["py.typed", "report/page.html"], "vfxgen.nets": ["**/*"]},
)
