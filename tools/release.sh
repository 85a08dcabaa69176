#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes a release: version, changelog, commit, packages built twice, source archives, checksums, and the tag at the end.
# usage: release.sh VERSION [--no-trial]   what is to be published is left in build/dist/VERSION; nothing is pushed
# --no-trial leaves out that the package is built once more, from the archives alone and without a network.
# All of it happens in a work tree of its own: whatever fails, the branch and its files are as they were, and there is no tag.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
source tools/common.sh

version=${1:?which version? e.g. ./dev release 0.2.0} trial=yes
case ${2:-} in
  "") ;;
  --no-trial) trial= ;;
  *) die "release does not know '$2'" ;;
esac
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || die "'$version' is no version: three numbers, e.g. 0.2.0"
before=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
newer() { [ "$1" != "$2" ] && printf '%s\n%s\n' "$2" "$1" | sort -VC; }
newer "$version" "$before" || die "$version is not newer than $before"
[ -z "$(git status --porcelain)" ] || die "there are changes that are not committed"
! git rev-parse -q --verify "refs/tags/v$version" >/dev/null || die "the tag v$version exists"
changes=$(sed -n '/^## Unreleased$/,/^## [0-9]/p' CHANGELOG.md | sed '/^## /d' | grep -c .) || true
[ "$changes" -gt 0 ] || die "CHANGELOG.md has nothing under \"## Unreleased\": say what users will notice"
need_rust

work=$(mktemp -d)
tree=$work/tree dist=$work/dist published=$top/build/dist/$version tagged='' made=''
finish() {
  local code=$?
  trap '' INT TERM HUP
  git -C "$top" worktree remove --force "$tree" 2>/dev/null || true
  rm -rf "$work"
  git -C "$top" worktree prune
  if [ -z "$made" ]; then
    [ -z "$tagged" ] || git -C "$top" tag -d "v$version" >/dev/null
    echo "dev: no release was made, everything is as it was" >&2
    [ "$code" != 0 ] || code=1
  fi
  exit "$code"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP
git worktree add -q --detach "$tree" HEAD
cd "$tree"

say "version $version (was $before)"
sed -i "0,/^version = \"$before\"\$/s//version = \"$version\"/" Cargo.toml
cargo update --quiet --workspace
sed -i "s/^## Unreleased\$/## $version - $(date -u +%F)/" CHANGELOG.md
git commit -q -m "Version $version" -- Cargo.toml Cargo.lock CHANGELOG.md
commit=$(git rev-parse HEAD)

say "packages"
tools/package.sh --check

say "source archives"
mkdir "$dist"
name=mod-tls-$version
epoch=$(git log -1 --format=%ct)
# archive FOLDER FILE: the same octets each time.
archive() { tar --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner -c "$1" | xz -9 -T1 > "$2"; }
mkdir "$work/source"
git archive --prefix="$name/" HEAD | tar -x -C "$work/source"
write_changelog "$work/source/$name" "$version" "$epoch"
(cd "$work/source" && archive "$name" "$dist/$name.tar.xz")
# All crates, for builds without a network: debian/rules and packaging/rpm use vendor/ where it is.
mkdir "$work/source/$name/vendor"
(cd "$work/source/$name" && cargo vendor --locked --quiet vendor >/dev/null)
(cd "$work/source" && archive "$name/vendor" "$dist/$name-vendor.tar.xz")
# Debian's source package holds both, and all files of them: its own list of what to leave out has *.a and *.o.
(cd "$dist" && SOURCE_DATE_EPOCH=$epoch dpkg-source --tar-ignore=.git -b "$work/source/$name" >/dev/null)
rm -rf "$work/source"

cp build/package/*.deb build/package/one/"$name"/build/package/bill/{sbom.cdx.json,NOTICE} "$dist/"
tools/rpm.sh "$version" "$epoch" "$dist/mod_tls.spec"

if [ -n "$trial" ]; then
  say "the package once more, from the archives alone"
  mkdir "$work/trial"
  for file in "$name" "$name-vendor"; do tar -x -C "$work/trial" -f "$dist/$file.tar.xz"; done
  without_network=()
  [ "$(id -u)" != 0 ] || without_network=(unshare --net)
  (cd "$work/trial/$name" && "${without_network[@]}" tools/package.sh) || die "the archives are not enough to build from"
fi
(cd "$dist" && sha256sum -- * > SHA256SUMS)

# A tag is signed where there is a key to sign with.
if git config user.signingkey >/dev/null; then sign=-s; else sign=-a; fi
git tag $sign -m "mod_tls $version" "v$version" "$commit"
tagged=yes
mkdir -p "${published%/*}"
rm -rf "$published"
mv "$dist" "$published"
# What somebody has edited meanwhile stays, or nothing is done.
git -C "$top" merge -q --ff-only "$commit" || { rm -rf "$published"; die "the branch or its files changed meanwhile"; }
made=yes
[ $sign = -s ] || say "v$version is not signed: git has no user.signingkey"
(cd "$published" && ls -sh --block-size=1K)
say "$published is what to publish, with: git push origin HEAD v$version"
