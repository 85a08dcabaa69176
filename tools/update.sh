#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Takes a fixed version of a dependency in, and leaves a package of it: bump, audit, tests, package.
# usage: update.sh CRATE [VERSION] [--only STEP[,STEP]]
# VERSION defaults to the newest that Cargo.toml allows; --only leaves out tests, as of `./dev test`, for a trial.
# Nothing is committed: what changed is printed, with the words of the commit and the time that each step took.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
source tools/common.sh

crate=${1:?which crate? e.g. ./dev update rustls 0.23.47}
version= only=()
shift
while [ $# -gt 0 ]; do
  case $1 in
    --only) only=(--only "${2:?--only needs a step}"); shift ;;
    -*) die "update does not know '$1'" ;;
    *) version=$1 ;;
  esac
  shift
done
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

took=()
# step NAME COMMAND...: one step, which ends all where it fails.
step() {
  local name=$1 begun=$SECONDS
  shift
  say "$name"
  "$@"
  took+=("$(printf '  %-8s %5d s' "$name" $((SECONDS - begun)))")
}
step audit tools/audit.sh
step tests tools/test.sh "${only[@]}"
# What is packaged is the change, which is in no commit yet.
MOD_TLS_TREE=$(git stash create)
export MOD_TLS_TREE
step package tools/package.sh
git diff --stat
printf '%s\n' "${took[@]}"
say "$crate $before -> $after is tested and packaged. Commit these files alone: \"$crate $after: WHAT IT FIXES\"; docs/releasing.md says what comes then"
