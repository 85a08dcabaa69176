#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that is checked before a change lands, step by step; a failed step does not hide the later ones.
# usage: test.sh [--sanitize | --threads] [--only STEP[,STEP]]
set -uo pipefail
cd "$(dirname "$(realpath "$0")")/.."
source tools/common.sh

steps=lint,rust,build,unit,docs,shape,instructions,httpd,interop,inject
preset=release
while [ $# -gt 0 ]; do
  case $1 in
    --sanitize) preset=asan steps=build,unit,httpd,interop ;;
    --threads) preset=tsan steps=build,threads ;;
    --only) steps=${2:?--only needs a step}; shift ;;
    *) die "test does not know '$1'" ;;
  esac
  shift
done

need test
export MOD_TLS_SO=$top/build/$preset/mod_tls.so
if [ $preset = asan ]; then
  # httpd itself is not instrumented: the runtime has to be there before the module. Leaks are not looked for, since
  # httpd's pools and what is kept across restarts on purpose look like leaks.
  MOD_TLS_PRELOAD="$(g++ -print-file-name=libasan.so):$(g++ -print-file-name=libubsan.so)"
  export MOD_TLS_PRELOAD
  export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:handle_segv=1:alloc_dealloc_mismatch=1
  export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
fi
if [ $preset = tsan ]; then
  # Rust's own library has to be compiled for it, or what threads hand over to each other looks like races.
  [ -d "$(rustc +nightly --print sysroot 2>/dev/null)/lib/rustlib/src" ] ||
    die "TSan needs rustup's nightly compiler and Rust's own source: rustup toolchain install nightly --component rust-src"
  # Reports do not end a process, so that one run has them all; httpd's children write theirs as another user. A process
  # that httpd forks has threads, whatever its parent had.
  reports=$(mktemp -d) && chmod 1777 "$reports"
  MOD_TLS_PRELOAD=$(g++ -print-file-name=libtsan.so)
  export MOD_TLS_PRELOAD TSAN_OPTIONS="log_path=$reports/report exitcode=0 die_after_fork=0 report_signal_unsafe=0"
fi
workers=$(nproc)
[ "$workers" -ge 2 ] || workers=2

front_door() {
  local folder=$1
  [ -n "$(find "tests/$folder" -name 'test_*.py' 2>/dev/null)" ] || { echo "no tests in tests/$folder"; return 0; }
  /usr/bin/python3 -m pytest "tests/$folder" -q -n "$workers" --dist load --durations 8
}

step_lint() { tools/lint.sh; }
step_rust() { timeout 1800 cargo test --locked --workspace --exclude mod_tls_bridge --quiet && cargo build --locked -p tls-client; }
step_build() { build_preset $preset; }
step_unit() { ctest --test-dir build/$preset --output-on-failure --timeout 300 -j "$workers" --no-tests=error | tail -n 25; }
step_docs() { tools/docs.sh --check; }
step_shape() { /usr/bin/python3 -m pytest tests/build -q; }
# Instructions under valgrind, with committed limits: what bench/ measures, as far as it holds on a busy machine.
step_instructions() { /usr/bin/python3 -m pytest tests/instructions -q; }
step_httpd() { front_door httpd; }
# What threads share: requests, restarts, reload, tickets that rotate, handshakes that wait. Without the key agent and the
# fetcher, whose few calls of the kernel are not enough for TSan (harness/sanitizers.py).
step_threads() {
  local files=(requests restarts client_reload resumption_tickets resumption_cache streaming timeouts handshake_limits proxy metrics) failed=0
  /usr/bin/python3 -m pytest $(printf 'tests/httpd/test_%s.py ' "${files[@]}") -q -n "$workers" --dist load || failed=1
  # A race is of ours where both its accesses have frames of ours. httpd's own threads close listening sockets that another
  # one waits at, and hand pools to each other, with memory that we have read, in ways that TSan does not see.
  local ours
  ours=$(cat "$reports"/* 2>/dev/null | awk 'BEGIN { RS = "==================" } { split($0, part, "\n\n") }
    part[1] ~ /mod_tls\.so/ && part[2] ~ /mod_tls\.so/')
  echo "reports: $(cat "$reports"/* 2>/dev/null | grep -c SUMMARY), of races in the module: $(grep -c SUMMARY <<<"$ours")"
  [ -z "$ours" ] || { echo "$ours"; failed=1; }
  return $failed
}
step_interop() { front_door interop; }
# A share of the places that can fail; ./dev inject has all of them.
step_inject() {
  build_preset inject || return
  MOD_TLS_SO=$top/build/inject/mod_tls.so /usr/bin/python3 -m pytest tests/inject -q -n "$workers" --dist load
}

summary=() failed=0 begun=$SECONDS
for step in ${steps//,/ }; do
  declare -F "step_$step" >/dev/null || die "there is no step '$step'"
  say "$step"
  start=$SECONDS verdict=ok
  "step_$step" || { verdict=FAILED; failed=1; }
  summary+=("$(printf '  %-12s %-7s %4d s' "$step" "$verdict" $((SECONDS - start)))")
  # Without a module there is nothing that the later steps could look at.
  [ "$step" = build ] && [ $verdict = FAILED ] && break
done

say "summary"
printf '%s\n' "${summary[@]}"
printf '  %-12s %-7s %4d s\n' all "$([ $failed = 0 ] && echo ok || echo FAILED)" $((SECONDS - begun))
exit $failed
