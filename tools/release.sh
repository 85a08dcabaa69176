#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes a release: version, changelog, commit, packages built twice, source archives, checksums, and the tag at the end.
# usage: release.sh VERSION      what is to be published is left in build/dist/VERSION; nothing is pushed
# Whatever fails, the branch is put back to where it was, and there is no tag.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
source tools/common.sh

version=${1:?which version? e.g. ./dev release 0.2.0}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || die "'$version' is no version: three numbers, e.g. 0.2.0"
before=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
newer() { [ "$1" != "$2" ] && printf '%s\n%s\n' "$2" "$1" | sort -VC; }
newer "$version" "$before" || die "$version is not newer than $before"
[ -z "$(git status --porcelain)" ] || die "there are changes that are not committed"
! git rev-parse -q --verify "refs/tags/v$version" >/dev/null || die "the tag v$version exists"
changes=$(sed -n '/^## Unreleased$/,/^## [0-9]/p' CHANGELOG.md | sed '/^## /d' | grep -c .) || true
[ "$changes" -gt 0 ] || die "CHANGELOG.md has nothing under \"## Unreleased\": say what users will notice"
need_rust

was=$(git rev-parse HEAD)
dist=$top/build/dist/$version
undo() {
  git reset -q --hard "$was"
  rm -rf "$dist"
  die "no release was made, everything is as it was"
}
trap undo ERR INT TERM

say "version $version (was $before)"
sed -i "0,/^version = \"$before\"\$/s//version = \"$version\"/" Cargo.toml
cargo update --quiet --workspace
sed -i "s/^## Unreleased\$/## $version - $(date -u +%F)/" CHANGELOG.md
git commit -q -m "Version $version" -- Cargo.toml Cargo.lock CHANGELOG.md

say "packages"
tools/package.sh --check

say "source archives"
rm -rf "$dist"
mkdir -p "$dist"
name=mod-tls-$version
epoch=$(git log -1 --format=%ct)
# archive FOLDER FILE: the same octets each time.
archive() { tar --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner -c "$1" | xz -9 -T1 > "$2"; }
work=$(mktemp -d)
git archive --prefix="$name/" HEAD | tar -x -C "$work"
(cd "$work" && archive "$name" "$dist/$name.tar.xz")
# All crates, for builds without a network: debian/rules and packaging/rpm use vendor/ where it is.
(cd "$work/$name" && cargo vendor --locked --quiet vendor >/dev/null)
(cd "$work" && archive "$name/vendor" "$dist/$name-vendor.tar.xz")
rm -rf "$work"

cp build/package/*.deb build/package/one/mod-tls-"$version"/build/package/bill/{sbom.cdx.json,NOTICE} "$dist/"
tools/rpm.sh "$version" "$epoch" "$dist/mod_tls.spec"
(cd "$dist" && sha256sum -- * > SHA256SUMS)
trap - ERR INT TERM

# A tag is signed where there is a key to sign with.
if git config user.signingkey >/dev/null; then sign=-s; else sign=-a; fi
git tag $sign -m "mod_tls $version" "v$version"
[ $sign = -s ] || say "v$version is not signed: git has no user.signingkey"
(cd "$dist" && ls -sh --block-size=1K)
say "$dist is what to publish, with: git push origin HEAD v$version"
