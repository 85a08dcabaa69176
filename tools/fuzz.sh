#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes one target, or each of them in turn, with libFuzzer; what it finds is left in build/fuzz/found.
# usage: fuzz.sh [TARGET] [SECONDS]; fuzz.sh list
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
source tools/common.sh

rust_targets=(agent brotli certificate connection ech hello http key lists names ocsp orders path pem ticket)
cpp_targets=(ciphers directives filters)
all_targets=("${rust_targets[@]}" "${cpp_targets[@]}")
# Files elsewhere in the tree that a target begins with, besides those of fuzz/corpus.
declare -A further=([certificate]=tests/data/pkits/certs)

mkdir -p build/fuzz
seconds=60
chosen=()
for word in "$@"; do
  case $word in
    list) printf '%s\n' "${all_targets[@]}"; exit ;;
    *[!0-9]*) chosen+=("$word") ;;
    *) seconds=$word ;;
  esac
done
[ ${#chosen[@]} -gt 0 ] || chosen=("${all_targets[@]}")

# What libFuzzer steers by, for any stable compiler: counters of edges, and what is compared with what.
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing"
host=x86_64-unknown-linux-gnu

build_rust() {
  say "build $1"
  [ fuzz/Cargo.lock -nt Cargo.lock ] || cp Cargo.lock fuzz/Cargo.lock  # the same crates as the module
  (cd fuzz && CARGO_TARGET_DIR=$top/build/fuzz/target CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS=$(echo $coverage) \
    cargo build --release --quiet --target $host --bin "$1")
  program=$top/build/fuzz/target/$host/release/$1
}

build_cpp() {
  need_packages clang libclang-rt-14-dev
  say "build $1"
  cmake -S fuzz/cpp -B build/fuzz/cpp -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=None > build/fuzz/cmake.log
  cmake --build build/fuzz/cpp --target "$1" > build/fuzz/cmake.log || die "$(tail -n 30 build/fuzz/cmake.log)"
  program=$top/build/fuzz/cpp/$1
}

failed=0
for target in "${chosen[@]}"; do
  case " ${rust_targets[*]} | ${cpp_targets[*]} " in
    *" $target "*"|"*) build_rust "$target" ;;
    *" $target "*) build_cpp "$target" ;;
    *) die "there is no fuzz target '$target'; there are: ${all_targets[*]}" ;;
  esac
  mkdir -p "build/fuzz/corpus/$target" build/fuzz/found
  say "$target, $seconds s"
  # The limit of each input is the target's own (50 ms of the processor); libFuzzer's are for what never ends.
  nice -n 19 "$program" -max_total_time="$seconds" -max_len=65536 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/found/$target-" "build/fuzz/corpus/$target" "fuzz/corpus/$target" ${further[$target]:-} \
    > "build/fuzz/$target.log" 2>&1 || { failed=1; say "$target FAILED"; grep -m 5 -A 12 -E "panicked|ERROR|SUMMARY" "build/fuzz/$target.log" || true; }
  grep -E "^stat::(number_of_executed_units|average_exec_per_sec|new_units_added|slowest_unit_time_sec|peak_rss_mb)" "build/fuzz/$target.log" || true
  grep -E "cov: [0-9]+" "build/fuzz/$target.log" | tail -n 1 || true
done
exit $failed
