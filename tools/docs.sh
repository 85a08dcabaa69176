#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes the generated tables of docs/ anew from the code; --check only says whether they are as the code wants them.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
source tools/common.sh
preset=release
[ -d "build/$preset" ] || preset=debug
build_preset "$preset" docgen
if [ "${1:-}" = --check ]; then
  exec ctest --test-dir "build/$preset" -R generated_documents --output-on-failure --no-tests=error
fi
"build/$preset/tools/docgen/docgen" docs
TLS_WRITE_DOCUMENTS=1 cargo test --locked --quiet -p mod_tls_core metrics::documents_tests >/dev/null
