# The laboratory. "make help" lists what can be made.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PORT ?= 8888
BROWSER ?= 1
PYTHON ?= python3
export PORT BROWSER PYTHON
PY := .venv/bin/python

.PHONY: gallery help lab notebooks reproduce test test-browser bench clean setup

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1@/p' Makefile | awk -F@ '{ printf "  make %-14s %s\n", $$1, $$2 }'

lab: setup ## build the laboratory and open JupyterLab (PORT=8888; BROWSER=0 opens no browser)
	@jupyter/setup.sh behind
	@jupyter/start.sh

notebooks: setup ## run all notebooks in full, in place (NB=2-energy-based-models for one)
	@$(PY) cmd/notebooks.py run $(NB)

gallery: setup ## pictures and table of the README from the executed notebooks
	@$(PY) cmd/gallery.py

reproduce: setup ## run notebooks at GOMAXPROCS 1, 2 and 7 and without assembler, compare the bytes (NB=... for one)
	@$(PY) cmd/notebooks.py same $(NB)

test: ## vet, staticcheck, all Go tests, every notebook in reduced size
	@jupyter/setup.sh test tools
	@$(PY) cmd/test.py

test-browser: ## every notebook in a real JupyterLab in a headless Chromium (NB=... for one)
	@jupyter/setup.sh browser
	@$(PY) cmd/browsertest.py $(NB)

bench: setup ## time cells, models and library into data/benchmarks.csv (W="cell compare w4" for some)
	@$(PY) cmd/bench.py $(W)

clean: ## remove what make built; committed files and Go's caches stay
	rm -rf .venv notebooks/.state notebooks/figures notebooks/.ipynb_checkpoints

setup:
	@jupyter/setup.sh lab
