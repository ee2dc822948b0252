#pragma once

// SLIPWAY_VECTOR_VERSIONS before a function: it is built for several instruction sets, and the loader chooses.
// Sanitizers start before the loader's choice between versions works.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define SLIPWAY_VECTOR_VERSIONS __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define SLIPWAY_VECTOR_VERSIONS
#endif
