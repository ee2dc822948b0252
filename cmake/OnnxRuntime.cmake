# Finds ONNX Runtime's headers and libraries: $ONNXRUNTIME_ROOT first, then a system package, then what `make setup`
# fetched into .deps/onnxruntime. Nothing links to the library: it is opened at run time (src/runtime).
# Sets SLIPWAY_ONNXRUNTIME_INCLUDE, SLIPWAY_ONNXRUNTIME_LIBRARY (a path, for defaults) and SLIPWAY_QNN_FOLDER.

set(SLIPWAY_DEPS ${PROJECT_SOURCE_DIR}/.deps CACHE PATH "Where `make setup` put its downloads")
find_path(SLIPWAY_ONNXRUNTIME_INCLUDE onnxruntime_cxx_api.h
  HINTS $ENV{ONNXRUNTIME_ROOT}/include $ENV{ONNXRUNTIME_ROOT}/include/onnxruntime
  PATHS /usr/include/onnxruntime ${SLIPWAY_DEPS}/onnxruntime/include
  NO_DEFAULT_PATH)
find_file(SLIPWAY_ONNXRUNTIME_LIBRARY libonnxruntime.so.1
  HINTS $ENV{ONNXRUNTIME_ROOT}/lib
  PATHS ${SLIPWAY_DEPS}/onnxruntime/lib /usr/lib/x86_64-linux-gnu /usr/lib/aarch64-linux-gnu
  NO_DEFAULT_PATH)
find_path(SLIPWAY_QNN_FOLDER libonnxruntime_providers_qnn.so
  HINTS $ENV{ONNXRUNTIME_ROOT}/qnn
  PATHS ${SLIPWAY_DEPS}/onnxruntime/onnxruntime_qnn
  NO_DEFAULT_PATH)
# Another build of ONNX Runtime; looked for at run time, so that `tools/setup.sh openvino` may follow the build.
set(SLIPWAY_OPENVINO_FOLDER ${SLIPWAY_DEPS}/openvino/lib CACHE PATH "ONNX Runtime with the OpenVINO provider")
if(NOT SLIPWAY_ONNXRUNTIME_INCLUDE)
  message(FATAL_ERROR "ONNX Runtime headers not found: run `make setup`, or set ONNXRUNTIME_ROOT")
endif()
