# `make demo` and `make test` set everything up themselves; CMake presets are the build manual behind them.
.PHONY: demo-programs acceptance mutation help demo test build programs setup unit skipped asan tsan fuzz lint format layers conformance golden bench clean
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
JOBS ?= $(shell nproc)
PYTHON := .deps/venv/bin/python
FUZZ_SECONDS ?= 20
FUZZ_PRESET ?= asan-ubsan
# The Python package of ONNX Runtime, which tests and benchmarks hold ours against, sends nothing to its maker either.
export ORT_DISABLE_TELEMETRY := 1
# Compiler results are kept between builds, inside the repository's ignored folders.
export CCACHE_DIR ?= $(CURDIR)/.cache/ccache
# Without these it passes by every file that uses precompiled headers.
export CCACHE_SLOPPINESS ?= pch_defines,time_macros

# What strangers reach: parsers, the queue, stores, the server. Built and run again under sanitizers.
ASAN_TESTS := base_test tensor_test media_test compile_onnx_graph_test sandbox_test hub_domain_test hub_protocol_test hub_storage_test \
              hub_server_test hub_client_test hub_executor_test hub_worker_test store_contract_test \
              convert_aten_test convert_archive_test convert_operators_test convert_torch_export_test convert_torch_script_test
# The loop of frames, a camera's newest frame, standby (pipelines_common), the hub's lanes (hub_server).
TSAN_TESTS := base_test hub_domain_test hub_storage_test hub_server_test pipelines_common_test store_contract_test

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: demo-programs ## the official client, our hub, a face detector on the CPU and through the NPU compiler (KEEP=1: hub stays)
	@tools/setup.sh assets
	@$(PYTHON) tools/demo.py --build build/release --output demo-output $(if $(KEEP),--keep)

test: demo build unit layers lint conformance asan tsan fuzz skipped ## everything that .ci/run checks

setup: ## packages, ONNX Runtime, Python environment; seconds when done before
	@tools/setup.sh system python onnxruntime

# The command line's pipelines are a third of the build, and the demo runs none of them.
demo-programs: setup
	@cmake --preset release > build-release.log 2>&1 || { cat build-release.log; exit 1; }; rm -f build-release.log
	@cmake --build --preset release -j $(JOBS) --target slipway-hub slipway-worker

programs: setup ## build/release/slipway, slipway-hub, slipway-worker
	@cmake --preset release > build-release.log 2>&1 || { cat build-release.log; exit 1; }; rm -f build-release.log
	@cmake --build --preset release -j $(JOBS) --target slipway slipway-hub slipway-worker

build: programs ## the programs with their tests
	@cmake --build --preset release -j $(JOBS)

unit: build ## the C++ tests
	@rm -rf build/release/test-results
	@GTEST_OUTPUT=xml:$(CURDIR)/build/release/test-results/ ctest --preset release -j $(JOBS)

skipped: ## what the last unit and conformance runs left out, and why
	@$(PYTHON) tools/skipped_tests.py build/release/test-results

layers:
	@$(PYTHON) tools/check_layers.py
	@$(PYTHON) tools/performance_page.py --check

lint: setup ## formatting and naming
	@tools/setup.sh clang
	@tools/lint.sh

format: ## applies the formatting
	@tools/setup.sh clang
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format-16 -i

conformance: build ## the official client against a running hub
	@tools/setup.sh assets
	@SLIPWAY_CONFORMANCE_REQUIRED=1 $(PYTHON) -m pytest -q -n $(JOBS) --dist loadfile tests/conformance python/tests \
	  --junitxml=build/release/test-results/conformance.xml

# Unoptimised code with guarded frames takes several times the stack of what ships, where recursion ends at a count.
asan: setup ## the tests of what strangers reach, under AddressSanitizer and UndefinedBehaviorSanitizer
	@tools/setup.sh clang
	@cmake --preset asan-ubsan > /dev/null
	@cmake --build --preset asan-ubsan -j $(JOBS) --target $(ASAN_TESTS)
	@ulimit -s 65536; ctest --preset asan-ubsan -j $(JOBS) -R '^($(subst $(eval ) ,|,$(strip $(ASAN_TESTS))))$$'

tsan: setup ## queue, stores, server and the loop of frames under ThreadSanitizer
	@cmake --preset tsan > /dev/null
	@cmake --build --preset tsan -j $(JOBS) --target $(TSAN_TESTS)
	@ctest --preset tsan -j $(JOBS) -R '^($(subst $(eval ) ,|,$(strip $(TSAN_TESTS))))$$'

fuzz: setup ## fuzzers of what strangers send, FUZZ_SECONDS each (FUZZ_PRESET=fuzz: optimised, for hours)
	@tools/setup.sh clang
	@cmake --preset $(FUZZ_PRESET) > /dev/null
	@cmake --build --preset $(FUZZ_PRESET) -j $(JOBS) --target fuzzers
	@ls build/$(FUZZ_PRESET)/tests/fuzz/*_fuzz | xargs -P $(JOBS) -n 1 tools/fuzz.sh $(FUZZ_SECONDS)

acceptance: programs ## SUITE=convert: every model of a list against PyTorch (TORCH=newest: of its newest release); exports, traces: official exports and traces through a hub; large: gigabytes; samurai, mediapipe: the original package beside ours. ARGS="--failed": see the suite
	@tools/setup.sh assets torch exports $(if $(TORCH),torch-$(TORCH)) $(filter samurai,$(SUITE)) $(if $(filter mediapipe,$(SUITE)),mediapipe mediapipe-networks)
	@$(PYTHON) tests/acceptance/$(SUITE)/run.py $(if $(TORCH),--$(TORCH)) $(ARGS)

mutation: setup ## 200 seeded changes of the rules of pipelines and hub, one at a time: which of them no test notices (up to an hour)
	@cmake --preset release > /dev/null
	@$(PYTHON) tools/mutation.py --build build/release $(ARGS)

golden: build ## writes the committed test data anew; fetches PyTorch (gigabytes)
	@tools/setup.sh assets torch
	@$(PYTHON) -m python.reference.golden

bench: programs ## every row of docs/performance.md beside its peers, in about 25 minutes (BENCH_MINUTES=16: of timed rounds); again: the rows that are missing. Fetches the peers (gigabytes)
	@tools/setup.sh assets torch openvino mediapipe peers
	@$(PYTHON) benchmarks/run.py --build build/release $(ARGS)

clean:
	rm -rf build
