# Two commands matter: `make demo` and `make test`. Both set up what they need, once, in .venv: the demo what the nodes
# run on, the tests the libraries for training on top.
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := imuface_core imuface_simulation imuface_node imuface_driver face_recon_node imuface_hri imuface_avatar imuface_study empathy_agent imuface_robot empathy_training imuface_bringup
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
PIP := $(BIN)/python -m pip --disable-pip-version-check

# An empty stamp for each step of the set-up; make repeats a step when something it was made from is newer.
REQUIREMENTS_DONE := $(VENV)/requirements.done
INTERFACES_DONE := $(VENV)/interfaces.done
PACKAGES_DONE := $(VENV)/packages.done
EXTRAS_DONE := $(VENV)/extras.done

.DEFAULT_GOAL := help
.PHONY: help setup extras camera hearing hri demo test coverage check rviz colcon clean

help: ## Show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

setup: $(PACKAGES_DONE) ## Set up ROS 2, the interfaces and the packages in .venv: what the nodes and the demo run on

extras: $(PACKAGES_DONE) $(EXTRAS_DONE) ## Add what training, tests and checks need

$(REQUIREMENTS_DONE): requirements.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || { \
	  echo "Earnest needs Python 3.11, 3.12 or 3.13 (ROS 2 on PyPI is built for them), and '$(PYTHON)' is none of them."; \
	  echo "Install python3.11 and python3.11-venv, or name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@echo "[1/3] Python environment with ROS 2 in $(VENV) (some minutes, once)"
	test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	$(PIP) install -r requirements.txt
	@touch $@

$(INTERFACES_DONE): $(REQUIREMENTS_DONE) $(shell find ros2_ws/src/interfaces ros2_ws/pip/tf2_msgs -type f)
	@command -v cc >/dev/null || { echo "Building the ROS interfaces needs a C compiler: install gcc (Debian: build-essential)."; exit 1; }
	@echo "[2/3] ROS interfaces"
	$(PIP) install --quiet --force-reinstall --no-deps ./ros2_ws/src/interfaces ./ros2_ws/pip/tf2_msgs
	@touch $@

$(PACKAGES_DONE): $(INTERFACES_DONE) $(PACKAGES:%=ros2_ws/src/%/setup.py) $(wildcard launch/* rviz/*)
	@echo "[3/3] Packages"
	$(PIP) install --quiet --no-deps $(PACKAGES:%=-e ros2_ws/src/%)
	@touch $@

$(EXTRAS_DONE): $(REQUIREMENTS_DONE) requirements-dev.txt requirements-empathy.txt requirements-training.txt
	@echo "Libraries for training, tests and checks (some minutes, once)"
	$(PIP) install -r requirements-dev.txt
	@touch $@

# Without dependencies: mediapipe asks for an older numpy than it needs (requirements-camera.txt).
camera: setup ## The optional extra for a true face from a camera, for labs
	$(PIP) install --no-deps -r requirements-camera.txt

hearing: setup ## The optional speech recogniser of this machine; its model: imuface hearing get
	$(PIP) install -r requirements-hearing.txt

# Not on PyPI and not ours: `git clone -b humble-devel https://github.com/ros4hri/hri_msgs` (docs/ros4hri.md).
hri: setup ## The optional messages of ROS4HRI from a clone of theirs: make hri HRI_MSGS=/path/to/hri_msgs
	@test -f "$(HRI_MSGS)/msg/LiveSpeech.msg" || { echo "HRI_MSGS='$(HRI_MSGS)' holds no msg/LiveSpeech.msg: \
	  name a clone of ros4hri/hri_msgs, branch humble-devel (docs/ros4hri.md)"; exit 1; }
	HRI_MSGS="$(abspath $(HRI_MSGS))" $(PIP) install --quiet --force-reinstall --no-deps ./ros2_ws/pip/hri_msgs

demo: setup ## Earphones in, face and empathetic reply out, into out/demo; VIEW=1 opens the live viewer instead; UNKNOWN=1: a stranger
	$(BIN)/imuface demo --out out/demo $(if $(VIEW),--view) $(if $(UNKNOWN),--unknown)

test: extras ## The whole test suite
	$(BIN)/python -m pytest -n 2 -m "not timing"
	$(BIN)/python -m pytest -m timing

coverage: extras ## The tests that need no running nodes, with the share of lines they run; twice as slow
	$(BIN)/python -m pytest -n 2 -m "not graph and not timing" --cov=ros2_ws/src --cov-report=term:skip-covered

check: extras ## Linter, formatter and type checker
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

rviz: ## RViz with the Earnest configuration, where RViz is installed
	@command -v rviz2 >/dev/null || { \
	  echo "rviz2 is not on the PATH: source an apt ROS 2 (sudo apt install ros-kilted-rviz2), or use: make demo VIEW=1"; exit 1; }
	rviz2 -d rviz/imuface.rviz

# On an apt ROS 2 this is plain `colcon build --base-paths ros2_ws/src`; the rest points it at ROS 2 from PyPI.
colcon: extras ## Build with colcon against the ROS 2 in .venv, into out/colcon
	PATH="$(abspath $(BIN)):$$PATH" AMENT_PREFIX_PATH="$(abspath $(VENV))" CMAKE_PREFIX_PATH="$(abspath $(VENV))" \
	  $(BIN)/colcon --log-base out/colcon/log build --base-paths ros2_ws/src \
	  --build-base out/colcon/build --install-base out/colcon/install --cmake-args -DPIP_ROS=ON -DPYTHON_ONLY=ON

clean: ## Remove the environment and everything that was built or recorded
	rm -rf $(VENV) out
