#!/usr/bin/env bash
# Formatting of every source file, the words of the glossary, and the naming rules of .clang-tidy: over every header at once by default, over every
# source file too with --all (minutes). Needs `tools/setup.sh clang` and a configured build/release.
set -euo pipefail
cd "$(dirname "$0")/.."
git ls-files '*.cpp' '*.hpp' | xargs clang-format-16 --dry-run -Werror
python3 tools/check_words.py

# clang 16 hides std::expected of GCC 12's library unless told that concepts are complete.
clang_flags=(-std=c++2b -U__cpp_concepts -D__cpp_concepts=202002L -Wno-builtin-macro-redefined)
report=$(mktemp)
trap 'rm -f "$report" "$report.stderr" "$report.cpp"' EXIT
quietly() { "$@" > "$report" 2> "$report.stderr" || { cat "$report"; grep -v 'warnings generated' "$report.stderr" || true; exit 1; }; }

if [ "${1:-}" = --all ]; then
  git ls-files 'src/*.cpp' 'apps/*.cpp' | grep -v '_test\.cpp$' > "$report.cpp"
  quietly xargs -a "$report.cpp" -P "$(nproc)" -n 2 clang-tidy-16 -p build/release --quiet "${clang_flags[@]/#/--extra-arg=}"
else
  # One translation unit with every header.
  git ls-files 'src/*.hpp' 'apps/*.hpp' | grep -vE '/internal/|test' |
    sed -e 's#^src/##' -e 's#.*#\#include "&"#' > "$report.cpp"
  quietly clang-tidy-16 --quiet --config-file=.clang-tidy "$report.cpp" -- "${clang_flags[@]}" -Isrc -I. -isystem "${ONNXRUNTIME_ROOT:-.deps/onnxruntime}/include" -isystem /usr/include/onnxruntime
fi
echo "formatting and names are as agreed"
