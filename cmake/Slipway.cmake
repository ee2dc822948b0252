# One module folder = one CMake target = one namespace. `slipway_module(NAME SOURCES … DEPENDS … LIBRARIES …)` makes the
# target slipway_NAME and one test program for the *_test.cpp files beside the sources. PUBLIC_HEADERS: the module is part
# of the package that other projects link, `find_package(slipway)`, as slipway::NAME with these headers and no others.

set(SLIPWAY_WARNINGS -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Werror)

# Headers that most files include, parsed once a kind of program instead of once a file. A file still includes what it
# uses: the fuzzers' build has none of this and would not compile otherwise. One set of flags makes them fit all targets;
# files with a level of optimisation of their own leave them out (GCC 12 falls over headers of another level).
set(CMAKE_CXX_COMPILE_OPTIONS_PIE -fPIC)
set(SLIPWAY_COMMON_HEADERS <algorithm> <array> <chrono> <cstdint> <expected> <filesystem> <fstream> <functional> <map> <memory>
    <mutex> <optional> <set> <span> <string> <string_view> <thread> <utility> <variant> <vector> <fmt/format.h>
    <nlohmann/json.hpp>)
function(slipway_precompiled name)
  cmake_parse_arguments(arg "" "" "HEADERS;LIBRARIES" ${ARGN})
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/${name}.cpp CONTENT "// Only to precompile headers.\n")
  add_library(${name} STATIC ${PROJECT_BINARY_DIR}/${name}.cpp)
  slipway_target(${name})
  target_link_libraries(${name} PRIVATE fmt::fmt nlohmann_json::nlohmann_json ${arg_LIBRARIES})
  target_precompile_headers(${name} PRIVATE ${SLIPWAY_COMMON_HEADERS} ${arg_HEADERS})
endfunction()

function(slipway_target target)
  target_compile_features(${target} PUBLIC cxx_std_23)
  target_compile_options(${target} PRIVATE ${SLIPWAY_WARNINGS})
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
                                              $<INSTALL_INTERFACE:include/slipway>)
  # Most of a source's compile time is templates that its neighbours use too (JSON above all): together they pay once.
  # Names in anonymous namespaces are therefore distinct within a folder.
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${SLIPWAY_UNITY} UNITY_BUILD_BATCH_SIZE 8)
  if(SLIPWAY_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # It would say so of a private struct in a source that another file includes; here none but CMake's batch does.
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  elseif(SLIPWAY_UNITY)
    # Clang takes a neighbour's constant for shadowed; within a file GCC sees to that.
    target_compile_options(${target} PRIVATE -Wno-shadow)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # clang 16 hides std::expected of this libstdc++ unless told that concepts are complete.
    target_compile_options(${target} PRIVATE -U__cpp_concepts -D__cpp_concepts=202002L -Wno-builtin-macro-redefined
      -Wno-missing-field-initializers)  # which it also sees in macros of system headers
  endif()
endfunction()

function(slipway_module name)
  cmake_parse_arguments(arg "" "" "PUBLIC_HEADERS;SOURCES;DEPENDS;LIBRARIES;TESTS;TEST_LIBRARIES;TEST_LABELS" ${ARGN})
  set(target slipway_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  slipway_target(${target})
  target_precompile_headers(${target} REUSE_FROM slipway_module_headers)
  foreach(dependency ${arg_DEPENDS})
    target_link_libraries(${target} PUBLIC slipway_${dependency})
  endforeach()
  target_link_libraries(${target} PRIVATE ${arg_LIBRARIES})
  set_property(GLOBAL APPEND PROPERTY SLIPWAY_MODULES ${name})
  if(arg_PUBLIC_HEADERS)
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
    install(TARGETS ${target} EXPORT slipway ARCHIVE DESTINATION lib COMPONENT sdk)
    file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR})
    install(FILES ${arg_PUBLIC_HEADERS} DESTINATION include/slipway/${folder} COMPONENT sdk)
  endif()
  if(SLIPWAY_TESTS AND arg_TESTS)
    slipway_test(${name}_test SOURCES ${arg_TESTS} DEPENDS ${name} LIBRARIES ${arg_LIBRARIES} ${arg_TEST_LIBRARIES}
                 LABELS ${arg_TEST_LABELS})
  endif()
endfunction()

function(slipway_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  slipway_target(${name})
  target_precompile_headers(${name} REUSE_FROM slipway_test_headers)
  # A test spends its time in the libraries under test; optimising the test itself is what a cold build would wait for.
  target_compile_options(${name} PRIVATE -O0)
  foreach(dependency ${arg_DEPENDS})
    target_link_libraries(${name} PRIVATE slipway_${dependency})
  endforeach()
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} GTest::gtest GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS "unit;${arg_LABELS}" TIMEOUT 300)
  if(SLIPWAY_SANITIZE)
    # Asking for more memory than there is must fail as it does without the sanitizer, not end the test.
    # What Qualcomm's library leaks when it is closed is not ours; it has no name left to be suppressed by.
    set(asan_options "allocator_may_return_null=1")
    if("runtime" IN_LIST arg_DEPENDS OR "hub_executor" IN_LIST arg_DEPENDS)
      string(APPEND asan_options ":detect_leaks=0")
    endif()
    set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT
      "ASAN_OPTIONS=${asan_options}" "TSAN_OPTIONS=allocator_may_return_null=1:suppressions=${PROJECT_SOURCE_DIR}/cmake/thread_sanitizer.suppressions")
  endif()
endfunction()

# What reads options and prints is not where a program spends its time, and CLI11's headers are slow to optimise.
function(slipway_commands target)
  slipway_target(${target})
  target_precompile_headers(${target} REUSE_FROM slipway_program_headers)
  target_compile_options(${target} PRIVATE -O1)
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR})
endfunction()

function(slipway_executable name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  slipway_commands(${name})
  foreach(dependency ${arg_DEPENDS})
    target_link_libraries(${name} PRIVATE slipway_${dependency})
  endforeach()
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
endfunction()

# A libFuzzer program; needs clang and SLIPWAY_FUZZ. `cmake --build … --target fuzzers` builds all of them.
function(slipway_fuzzer name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  if(NOT SLIPWAY_FUZZ)
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  slipway_target(${name})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  foreach(dependency ${arg_DEPENDS})
    target_link_libraries(${name} PRIVATE slipway_${dependency})
  endforeach()
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES})
  if(NOT TARGET fuzzers)
    add_custom_target(fuzzers)
  endif()
  add_dependencies(fuzzers ${name})
endfunction()
