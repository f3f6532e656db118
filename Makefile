# Two commands on a fresh machine: `make demo` and `make test`. Each sets up .venv first when it is missing or out of date.

PYTHON ?= python3
PYTHON311 ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check format bench test-gpu docs clean

$(READY): pyproject.toml setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || (echo "vfxgen needs Python 3.11 or newer; give one with make PYTHON=python3.12" && exit 1)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	touch $@

demo: $(READY)
	$(BIN)/vfxgen demo --out demo_out

test: $(READY) bpy
	$(BIN)/python -m pytest -n 2 --dist worksteal

# Blender as a module, in environments of their own: its wheels are for Python 3.11 alone, and pin an older numpy.
.PHONY: bpy blender-extension
bpy:
	@if command -v $(PYTHON311) >/dev/null; then $(MAKE) --no-print-directory .venv-bpy/.ready .venv-bpy-4.5/.ready; \
	else echo "The Blender tests will be skipped: Blender's Python wheels need a python3.11, and there is none"; fi

.venv-bpy/.ready: BPY := 5.0.1
# What shots/*/make.py render with, of versions that live with the numpy that bpy wants.
.venv-bpy/.ready: STAGE := opencv-python-headless==4.11.0.86 OpenImageIO==3.0.21.0
.venv-bpy-4.5/.ready: BPY := 4.5.15
.venv-bpy-4.2/.ready: BPY := 4.2.23
.venv-bpy/.ready .venv-bpy-4.5/.ready .venv-bpy-4.2/.ready:
	$(PYTHON311) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check bpy==$(BPY) $(STAGE)
	touch $@

# Not in `make test`: one more Blender, and a window in a Debian folder that root builds in DEBIAN.
.PHONY: test-blender-all test-blender-gui
DEBIAN ?= /var/tmp/vfxgen-debian
test-blender-all: $(READY) bpy .venv-bpy-4.2/.ready
	$(BIN)/python -m pytest tests/plugins/blender

test-blender-gui: blender-extension
	.ci/blender_window.sh $(DEBIAN) dist/blender_window
	.ci/blender_farm.sh $(DEBIAN) dist/blender_farm

blender-extension: $(READY)
	$(BIN)/python -m plugins.build_blender dist/vfxgen-blender.zip

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)
	$(BIN)/python -m benchmarks

test-gpu: $(READY)
	$(BIN)/python -m pytest -m gpu

docs: $(READY)
	$(BIN)/vfxgen operators --pages docs/operators

clean:
	rm -rf $(VENV) build dist *.egg-info demo_out
