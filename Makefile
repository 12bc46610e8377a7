# Everything a person or CI does here. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# The address of one of PyTorch's own indexes (CPU or a CUDA version), see README "GPU".
TORCH_INDEX ?=
# Where an environment keeps its packages; BentoML's takes torch from there.
PURELIB := "import sysconfig; print(sysconfig.get_path('purelib'))"
PIP_INDEX := $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

.PHONY: help run test soak soak-chain check format train evaluate bench bench-quick clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(VENV)/.run-installed ## Start everything: embedded Redis, API, workers, beat, Flower
	@exec $(BIN)/python -m scripts.run_service

test: $(VENV)/.dev-installed ## Every test, with real processes and a real server
	$(BIN)/python -m pytest $(PYTEST_ARGS)

soak-chain: $(VENV)/.dev-installed ## 6,000 blocks of a chain against real processes that come and go
	CHAIN_SOAK_BLOCKS=6000 $(BIN)/python -m pytest tests/e2e/test_chain.py -k hundreds_of_blocks -s --timeout 3600

soak: $(VENV)/.dev-installed ## The long fault runs; SOAK_SECONDS=600 unless set
	$(BIN)/python -m pytest -m soak -s $(PYTEST_ARGS) tests

check: $(VENV)/.dev-installed ## Format, lint, types, walls between the rooms
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev-installed ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

train: $(VENV)/.run-installed ## Make models/production/model.pth again, bit for bit on the same machine
	$(BIN)/python scripts/train_model.py --production

evaluate: $(VENV)/.run-installed ## Measure and attack the shipped model on real people; writes docs/accuracy.md
	$(BIN)/python scripts/evaluate_model.py --protocol verification --attacks --document docs/accuracy.md

bench: $(VENV)/.run-installed bench-peers ## Measure this service beside its peers, in under 15 minutes; renews README and docs/performance.md
	OMP_NUM_THREADS=1 $(BIN)/python -m bench --publish

bench-quick: $(VENV)/.run-installed ## Measure this service, the model in process, an echo and the scorer, in under 2 minutes
	OMP_NUM_THREADS=1 $(BIN)/python -m bench --plan quick

# Processor time, so that a busy neighbour shows less; the first run on a machine has nothing to compare with.
STAGES := --benchmark-enable --benchmark-only --benchmark-timer=time.thread_time --benchmark-max-time=0.3 \
  --benchmark-group-by=group --benchmark-columns=min,median,iqr,rounds --benchmark-sort=mean \
  --benchmark-storage=reports/stages --benchmark-autosave --benchmark-compare

bench-stages: $(VENV)/.dev-installed ## Time each stage of a request, beside the last run on this machine
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/benchmarks $(STAGES) $(PYTEST_ARGS)

.PHONY: bench-stages bench-peers
bench-peers: $(VENV)/.run-installed # what cannot be installed is reported in the table
	@test -e $(VENV)/.bench-installed || { $(PIP) $(PIP_INDEX) -e '.[run,bench]' && touch $(VENV)/.bench-installed; } \
	  || echo "mosec, litserve and ray could not be installed"
	@test -e $(VENV)/.bentoml-installed || { $(PYTHON) -m venv $(VENV)/bentoml \
	  && $(VENV)/bentoml/bin/python -m pip install --quiet --disable-pip-version-check -r bench/bentoml.txt \
	  && $(BIN)/python -c $(PURELIB) > "$$($(VENV)/bentoml/bin/python -c $(PURELIB))/service.pth" \
	  && touch $(VENV)/.bentoml-installed; } || echo "bentoml could not be installed"

clean: ## Remove the virtual environment and the run's state
	rm -rf $(VENV) .run build *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) $(PIP_INDEX) -e '.[run]'
	@touch $@

$(VENV)/.dev-installed: $(VENV)/.run-installed
	$(PIP) $(PIP_INDEX) -e '.[run,dev]'
	@touch $@
