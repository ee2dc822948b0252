# find_package(slipway): runtime, media and pipelines as static libraries, slipway::pipelines_face_det_lite and so on.
# ONNX Runtime is opened when a program runs: $SLIPWAY_ONNXRUNTIME, or ../lib/slipway beside the executable.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(fmt)
find_dependency(nlohmann_json)
find_dependency(OpenSSL)
find_dependency(LibArchive)
find_dependency(yaml-cpp)
find_dependency(PkgConfig)
# The same names as in src/media.
pkg_check_modules(LIBAV REQUIRED IMPORTED_TARGET libavformat libavcodec libswscale libavutil)
pkg_check_modules(AUDIO REQUIRED IMPORTED_TARGET libavformat libavcodec libavutil libswresample sndfile soxr)
pkg_check_modules(V4L2 REQUIRED IMPORTED_TARGET libv4l2)
pkg_check_modules(TURBOJPEG REQUIRED IMPORTED_TARGET libturbojpeg)
pkg_check_modules(WEBP REQUIRED IMPORTED_TARGET libwebp libwebpdemux)
pkg_check_modules(FREETYPE REQUIRED IMPORTED_TARGET freetype2)
include(${CMAKE_CURRENT_LIST_DIR}/slipwayTargets.cmake)
