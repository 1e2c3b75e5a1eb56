# Two commands matter: `make demo` and `make test`. Both set up what they need, once.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3.11
PACKAGES := imuface_node imuface_driver face_recon_node empathy_agent imuface_bringup

# Names of the stamps say what has been set up; a stamp is older than its inputs when there is something to do again.
VENV_STAMP := $(VENV)/.stamp-requirements
INTERFACES_STAMP := $(VENV)/.stamp-interfaces
PACKAGES_STAMP := $(VENV)/.stamp-packages

.PHONY: help demo test check setup models rviz clean

help:
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

setup: $(PACKAGES_STAMP) ## Python environment with ROS 2, interfaces and packages, in .venv

$(VENV_STAMP): requirements.txt requirements-dev.txt
	@command -v $(PYTHON) >/dev/null || { echo "Earnest needs $(PYTHON) (ROS 2 on PyPI is built for CPython 3.11). Install it, or name one: make PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(INTERFACES_STAMP): $(VENV_STAMP) $(shell find ros2_ws/src/interfaces -type f)
	$(BIN)/pip install --disable-pip-version-check --force-reinstall --no-deps ./ros2_ws/src/interfaces
	@touch $@

$(PACKAGES_STAMP): $(INTERFACES_STAMP) $(foreach p,$(PACKAGES),ros2_ws/src/$(p)/setup.py) $(wildcard launch/* rviz/*)
	$(BIN)/pip install --disable-pip-version-check --no-deps $(foreach p,$(PACKAGES),-e ros2_ws/src/$(p))
	@touch $@

clean: ## Remove the environment and everything that was built or recorded
	rm -rf $(VENV) out build install log
