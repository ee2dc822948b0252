#!/usr/bin/env bash
# Runs one fuzzer for a time over its kept and its committed inputs: `tools/fuzz.sh SECONDS FUZZER`. Prints its figures in
# one piece; exit status as the fuzzer's, and what made it fail lies in .cache/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1 fuzzer=$2
name=$(basename "$fuzzer")
found=.cache/fuzz/$name
committed=tests/fuzz/corpus/$name
mkdir -p "$found"
ulimit -s 65536  # the build is unoptimised: its frames are several times as large as those of what ships
status=0
log=$("$fuzzer" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 -artifact_prefix=.cache/fuzz/ \
  "$found" $([ -d "$committed" ] && echo "$committed") 2>&1) || status=$?
if [ $status != 0 ]; then printf '== %s\n%s\n' "$name" "$log"; exit 255; fi  # 255: xargs starts no further one
printf '== %s, %s s: %s\n' "$name" "$seconds" "$(grep -oE 'stat::number_of_executed_units: +[0-9]+' <<< "$log" | grep -oE '[0-9]+$') runs"
