#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Takes a fixed version of a dependency in, and leaves a package of it: bump, audit, tests, package.
# usage: update.sh CRATE [VERSION]     VERSION defaults to the newest that Cargo.toml allows
# Nothing is committed: what changed is printed, with the words of the commit.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
source tools/common.sh

crate=${1:?which crate? e.g. ./dev update rustls 0.23.47}
version=${2:-}
[ -z "$(git status --porcelain -- Cargo.toml Cargo.lock rust)" ] || die "commit or put away the changes of rust/ and Cargo.* first"
need_rust

locked() { sed -n "/^name = \"$crate\"\$/{n;s/^version = \"\(.*\)\"/\1/p}" Cargo.lock | paste -sd' '; }
before=$(locked)
[ -n "$before" ] || die "$crate is no dependency: Cargo.lock does not have it"
cargo update -p "$crate" ${version:+--precise "$version"}
after=$(locked)
[ "$before" != "$after" ] || die "$crate stays at $before: Cargo.toml allows nothing newer, or there is nothing newer"
if [ "$crate" = rustls ]; then
  # The version that the log and SSL_VERSION_LIBRARY name.
  sed -i "s|\(ENGINE_VERSION: &str = \"rustls/\)[^\"]*|\1$after|" rust/core/src/lib.rs
fi

say "audit"
tools/audit.sh
say "tests"
tools/test.sh
say "package"
tools/package.sh
git diff --stat
say "$crate $before -> $after is tested and packaged. Commit Cargo.lock alone: \"$crate $after: WHAT IT FIXES\"; docs/releasing.md says what comes then"
