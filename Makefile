# The laboratory. "make help" lists what can be made.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PORT ?= 8888
BROWSER ?= 1
PYTHON ?= python3
export PORT BROWSER PYTHON
PY := .venv/bin/python

.PHONY: help lab notebooks test test-browser bench clean setup

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1@/p' Makefile | awk -F@ '{ printf "%-22s %s\n", $$1, $$2 }'

lab: ## build the laboratory and open JupyterLab (PORT=8888, BROWSER=0 opens no browser)
	@jupyter/setup.sh lab tools-behind
	@jupyter/start.sh

notebooks: setup ## run all notebooks in full, in place (NB=2-energy-based-models for one)
	@$(PY) cmd/notebooks.py run $(NB)

setup:
	@jupyter/setup.sh lab
