#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the Debian package libapache2-mod-tls from what is committed, or from a release's source archive, into build/package/.
# MOD_TLS_TREE is another commit than HEAD: tools/update.sh has what it is about to propose there.
# usage: package.sh [--check]     --check builds it twice, in two folders, compares, and runs lintian
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
source tools/common.sh

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
# A release's source archive has Debian's changelog, and no repository.
archive=
[ ! -e debian/changelog ] || archive=yes
if [ -n "$archive" ]; then epoch=$(dpkg-parsechangelog -S Timestamp); else epoch=$(git log -1 --format=%ct); fi
out=$top/build/package

# build FOLDER: unpacks the commit there and leaves the package in it.
build() {
  local folder=$1 tree=$1/mod-tls-$version
  rm -rf "$folder"
  mkdir -p "$tree"
  if [ -n "$archive" ]; then
    tar -c --exclude=./build . | tar -x -C "$tree"
  else
    git archive "${MOD_TLS_TREE:-HEAD}" | tar -x -C "$tree"
    write_changelog "$tree" "$version" "$epoch"
  fi
  # Compilers may come from elsewhere than from Debian (need_rust): their packages are not asked for.
  (cd "$tree" && SOURCE_DATE_EPOCH=$epoch dpkg-buildpackage -b -d -us -uc) > "$folder/log" 2>&1 ||
    { tail -n 40 "$folder/log"; die "the package does not build; the whole log is $folder/log"; }
  tools/floor.py "$tree/build/package/mod_tls.so" "$top" "${CARGO_HOME:-$HOME/.cargo}" "${RUSTUP_HOME:-$HOME/.rustup}" ||
    die "the module that was built does not run where docs/platforms.md says, or is not the same everywhere"
}

build "$out/one"
if [ "${1:-}" = --check ]; then
  # The path is longer than that of any crate, as compilers may prefer the shorter one of two.
  elsewhere=$out/two/$(printf 'elsewhere/%.0s' {1..12})
  build "$elsewhere"
  for deb in "$out"/one/*.deb; do
    cmp "$deb" "$elsewhere/$(basename "$deb")" || die "two builds of $(basename "$deb") differ"
  done
  say "two builds are equal, bit for bit"
  lintian --fail-on error,warning "$out"/one/*.changes
fi
rm -f "$out"/*.deb
cp "$out"/one/*.deb "$out/"
say "built $(cd "$out" && ls *.deb | tr "\n" " ")"
