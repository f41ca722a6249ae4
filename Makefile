# `make demo` and `make test` are all a fresh machine needs.
PYTHON ?= python3
# not for the launch scripts under test, which read the same name
unexport PYTHON
VENV ?= .venv
# Index with CPU builds of torch, e.g. https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
# the newest that pip finds: CONSTRAINTS=/dev/null (Python 3.10, for which the pins are too new)
CONSTRAINTS ?= constraints.txt
PIP = $(VENV)/bin/python -m pip install -c $(CONSTRAINTS)
# A worker of pytest for each core; each imports torch, in about 1 GB of memory
# one worker more than cores: some tests wait for a process, a browser or a lock
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
PARALLEL ?= -n $(WORKERS) --maxprocesses 9 --dist worksteal
TRANSFORMERS_VENV ?= .venv-transformers
TRANSFORMERS_PIP = $(TRANSFORMERS_VENV)/bin/python -m pip install -c constraints.txt
OPENMMLAB_VENV ?= .venv-openmmlab
OPENMMLAB_PIP = $(OPENMMLAB_VENV)/bin/python -m pip install -c constraints-openmmlab.txt

.PHONY: install demo test test-page test-slow test-openmmlab test-transformers coverage fuzz \
    sweep benchmarks gpu gpu-training docs docs-serve lint types clean

install: $(VENV)/.installed

# torch first and alone: an index for CPU builds holds nothing else
$(VENV)/.installed: setup.py pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch torchvision
	$(PIP) -e '.[onedl,test,lint]'
	touch $@

demo: install
	$(VENV)/bin/python tools/demo.py --out work_dirs/demo

test: install lint
	$(VENV)/bin/python -m pytest $(PARALLEL) -m 'not slow and not gpu'

# The same tests, and the lines that none of them runs; a process that a test starts
# does not count
coverage: install
	$(VENV)/bin/python -m pytest $(PARALLEL) -m 'not slow and not gpu' --cov --cov-report=term \
	    --cov-report=xml --cov-report=html

# The drawing page in a headless Chromium (Debian: chromium, chromium-driver); its
# tests are skipped where there is none
test-page: install
	$(VENV)/bin/python -m pytest tests/annotation/drawing tests/tools/test_draw_masks.py

test-slow: install
	$(VENV)/bin/python -m pytest -m slow

# What must hold on both mm stacks, on the original packages: in an environment of its
# own, since both families own the same folders
test-openmmlab: $(OPENMMLAB_VENV)/.installed
	$(OPENMMLAB_VENV)/bin/python -m pytest $(PARALLEL) -m 'stacks and not slow'

$(OPENMMLAB_VENV)/.installed: setup.py pyproject.toml constraints-openmmlab.txt
	$(PYTHON) -m venv $(OPENMMLAB_VENV)
	$(OPENMMLAB_PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch torchvision
	$(OPENMMLAB_PIP) -e '.[openmmlab,test]'
	touch $@

# In an environment of its own: mmpretrain cannot be imported beside transformers 5
test-transformers: $(TRANSFORMERS_VENV)/.installed
	$(TRANSFORMERS_VENV)/bin/python -m pytest tests/features/test_transformers_layouts.py \
	    tests/features/test_wrappers.py tests/examples

$(TRANSFORMERS_VENV)/.installed: setup.py pyproject.toml constraints.txt
	$(PYTHON) -m venv $(TRANSFORMERS_VENV)
	$(TRANSFORMERS_PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch torchvision
	$(TRANSFORMERS_PIP) -e '.[transformers,test]'
	touch $@

# Minutes of strange files for each format; FUZZ=COCO for one of them
fuzz: install
	$(VENV)/bin/python -m pytest tests/masks/test_fuzz.py tests/masks/io/test_names.py \
	    tests/data/public/test_fuzz.py \
	    --hypothesis-profile=fuzz \
	    $(if $(FUZZ),-k "$(FUZZ)")

# Every backbone, config and pipeline; hours on two cores, and a killed one goes on
sweep: install $(TRANSFORMERS_VENV)/.installed
	$(VENV)/bin/python tests/sweeps backbones --page docs/backbones.md
	$(TRANSFORMERS_VENV)/bin/python tests/sweeps classifiers --page docs/backbones.md
	$(VENV)/bin/python tests/sweeps zoo --page docs/zoo.md
	$(VENV)/bin/python tests/sweeps pipelines --page docs/pipelines.md

# What guidance costs; about half an hour on two cores
benchmarks: install
	$(VENV)/bin/python -m benchmarks --page docs/benchmarks.md

# What a GPU must show, and one table of what it costs there; about 10 minutes on one
# card. PYTHON=... with a CUDA build of torch, or the package index's own (5 GB)
gpu: install
	$(VENV)/bin/python -m pytest tests/gpu -m gpu
	$(VENV)/bin/python -m benchmarks --device cuda --pairs 20 \
	    --only steps loss compiled swap --work-dir work_dirs/benchmarks-gpu

# A real training on a GPU, of Waterbirds-100 (docs/data.md) in CFCN_DATA or data/, with
# ImageNet weights from timm's hub
gpu-training: install
	$(VENV)/bin/python tools/train.py --amp --work-dir work_dirs/gpu-training \
	    configs/swap-pretrained-224px_efficientnet-lite0_waterbirds.py \
	    --cfg-options model.backbone.model_name=resnet50 model.backbone.img_size=224 \
	    'model.data_preprocessor.mean=[123.675,116.28,103.53]' \
	    'model.data_preprocessor.std=[58.395,57.12,57.375]'

# The site, into site/; a warning ends it. NO_MKDOCS_2_WARNING: an advertisement
docs: install
	$(PIP) mkdocs-material 'mkdocstrings[python]'
	$(VENV)/bin/python docs/option_tables.py
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

docs-serve: docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs serve

lint: install
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

# The rooms of the core; half a minute the first time
types: install
	$(VENV)/bin/mypy

clean:
	rm -rf build dist site htmlcov coverage.xml .coverage *.egg-info \
	    .mypy_cache .pytest_cache .ruff_cache
