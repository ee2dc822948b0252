# `make demo` and `make test` set everything up themselves; CMake presets are the build manual behind them.
.PHONY: demo test build setup bench conformance golden format format-check lint layers asan tsan fuzz clean
SHELL := /bin/bash
JOBS ?= $(shell nproc)
PYTHON := .deps/venv/bin/python
# Keeps compiler results between builds inside the repository's ignored folders.
export CCACHE_DIR ?= $(CURDIR)/.cache/ccache

setup:
	@tools/setup.sh system python onnxruntime

build: setup ## build/release/slipway, slipway-hub, slipway-worker
	@[ -f build/release/build.ninja ] || cmake --preset release > /dev/null
	@cmake --build --preset release -j $(JOBS)

clean:
	rm -rf build
