# SPDX-License-Identifier: GPL-3.0-or-later
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
ifeq ($(filter scenario-%,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
COLLECTION := .collections/ansible_collections/sallyport/ssh

export PATH := $(CURDIR)/.venv/bin:$(PATH):/usr/sbin:/sbin
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.collections
export ANSIBLE_HOME := $(CURDIR)/.cache/ansible
export MOLECULE_GLOB := molecule/*/molecule.yml

step = @printf '\033[1m==> %s\033[0m\n' "$(1)"

.PHONY: help setup checks servers hosts system lint unit sanity docs molecule torture demo bench test clean requirements

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1 /p' Makefile | while read -r target text; do printf '  make %-14s%s\n' "$$target" "$$text"; done

demo: setup hosts  ## set up, start a host, provision the demo model, transfer files, show the result
	@tools/demo

test: lint unit sanity docs molecule  ## every check and test
	$(call step,Everything passed)

setup: checks .venv/installed $(COLLECTION)  ## the virtual environment and the collection path of this checkout

system: checks servers hosts  ## the system packages that everything here needs

lint: setup  ## style, types and documentation
	$(call step,ruff: Python style)
	@ruff check --quiet .
	@ruff format --check --quiet . || { echo 'Run: .venv/bin/ruff format .' >&2; exit 1; }
	$(call step,mypy: types)
	@mypy
	$(call step,yamllint)
	@yamllint --strict .
	$(call step,ansible-lint: production profile)
	@ansible-lint -q
	$(call step,role-specs: the role documents the same options as the modules)
	@tools/role-specs --check
	$(call step,antsibull-docs: plugin and role documentation)
	@antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=all .
	$(call step,antsibull-changelog: changelog fragments)
	@antsibull-changelog lint

unit: setup servers  ## unit tests
	$(call step,pytest: unit tests)
	@pytest --quiet tests/unit

sanity: setup  ## ansible-test sanity
	$(call step,ansible-test: sanity)
	@tools/sanity

docs: setup  ## the documentation pages of modules and roles, in .cache/docs/html
	$(call step,antsibull-docs and sphinx: documentation pages)
	@rm -rf .cache/docs && mkdir -p .cache/docs
	@antsibull-docs collection --use-current --squash-hierarchy --fail-on-error --dest-dir .cache/docs sallyport.ssh
	@sphinx-build -Q -C -D project=sallyport.ssh -D extensions=sphinx_antsibull_ext -D html_theme=alabaster \
		.cache/docs .cache/docs/html

# the longest first; each waits a lot, for PAM and for timers, so that two at a time do not disturb one another
SCENARIOS ?= akeneo modules escapes lockout model campaigns faults verify
AT_ONCE ?= 2

molecule: setup hosts  ## scenarios on Debian 11, 12 and 13
	$(call step,molecule: real hosts and real clients (two scenarios at a time; each speaks at its end))
	@$(MAKE) --jobs=$(AT_ONCE) --output-sync=target $(SCENARIOS:%=scenario-%)

scenario-%:
	@molecule test --scenario-name "$*"

torture: setup servers hosts  ## the long campaigns: faults, races, transfers, secrets, fuzz
	@tools/torture

bench: setup hosts  ## the performance table, side by side with a loop over accounts
	@tools/bench

clean:  ## remove the hosts and everything else that these targets made
	@tools/host clean
	@rm -rf .venv .collections .cache .pytest_cache .mypy_cache .ruff_cache .ansible .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +

requirements: setup  ## pin the newest packages that requirements/*.in allow
	$(call step,uv: requirements/*.txt)
	@cd requirements && for name in controller dev; do \
		uv pip compile --quiet --upgrade --python-version 3.11 --generate-hashes \
			--no-header --no-emit-index-url --no-emit-find-links --output-file $$name.txt $$name.in; \
		sed -i '1i # SPDX-License-Identifier: GPL-3.0-or-later' $$name.txt; \
	done

# The parts of setup

checks:
	@tools/system checks

servers:
	@tools/system servers

hosts:
	@tools/system hosts

.venv/installed: requirements/dev.txt
	$(call step,Installing Python packages in .venv (about a minute))
	@test -n '$(PYTHON)' || { echo 'Python 3.11 or newer is missing: install it or set PYTHON' >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/pip install --quiet --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	@touch $@

$(COLLECTION):
	@mkdir -p $(@D)
	@ln -sfn ../../.. $@
