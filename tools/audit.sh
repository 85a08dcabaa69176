#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Advisories, licences, bans and sources of all crates, by cargo-deny and deny.toml. Where the advisory database cannot
# be reached the other three are checked all the same, and the advisories are reported as not looked at.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
source tools/common.sh
need_rust
export PATH="$top/build/tools/bin:$PATH"
if ! cargo deny --version >/dev/null 2>&1; then
  say "installing cargo-deny into build/tools (some minutes)"
  CARGO_TARGET_DIR=$top/build/tools/target cargo install --locked --root build/tools cargo-deny
  rm -rf build/tools/target
fi
say "licences, bans, sources"
cargo deny --locked check licenses bans sources
say "advisories"
if cargo deny --locked fetch db; then
  cargo deny --locked check --disable-fetch advisories
else
  echo "NOT RUN: the advisory database cannot be reached from here"
fi
