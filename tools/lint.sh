#!/usr/bin/env bash
# Formatting of every source file and the naming rules of .clang-tidy. Needs `tools/setup.sh clang` and a configured
# build/release (its compile commands).
set -euo pipefail
cd "$(dirname "$0")/.."
git ls-files 'src/*.cpp' 'src/*.hpp' 'apps/*.cpp' 'apps/*.hpp' 'tests/*.cpp' | xargs clang-format-16 --dry-run -Werror
# clang 16 hides std::expected of GCC 12's library unless told that concepts are complete.
log=$(mktemp)
git ls-files 'src/*.cpp' 'apps/*.cpp' | grep -v '_test\.cpp$' |
  xargs -P "$(nproc)" -n 2 clang-tidy-16 -p build/release --quiet --extra-arg=-std=c++2b --extra-arg=-U__cpp_concepts \
    --extra-arg=-D__cpp_concepts=202002L --extra-arg=-Wno-builtin-macro-redefined > "$log" 2> "$log.stderr" ||
  { cat "$log"; grep -v 'warnings generated' "$log.stderr"; rm -f "$log" "$log.stderr"; exit 1; }
rm -f "$log" "$log.stderr"
echo "formatting and names are as agreed"
