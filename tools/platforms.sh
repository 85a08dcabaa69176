#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian package in fresh roots of other systems and does what the README and the guide say, to the letter.
# usage: platforms.sh [NAME...]    names: bookworm trixie jammy noble resolute (default: these), and container
# Needs root, mmdebstrap and the archives of Debian and Ubuntu. Roots are kept in build/platforms for the next run.
set -uo pipefail
cd "$(dirname "$(realpath "$0")")/.."
source tools/common.sh

roots=$top/build/platforms
debian=http://deb.debian.org/debian ubuntu=http://archive.ubuntu.com/ubuntu
declare -A sources=(
  [bookworm]="deb $debian bookworm main"
  [trixie]="deb $debian trixie main"
  # The roots are thrown away and hold nothing of ours but the package: Ubuntu's keys are not in Debian.
  [jammy]="deb [trusted=yes] $ubuntu jammy main universe"
  [noble]="deb [trusted=yes] $ubuntu noble main universe"
  [resolute]="deb [trusted=yes] $ubuntu resolute main universe"
)

# The package as it was built, and two later versions of it for upgrades: the same code under another name, as of another
# build. Each is an archive that apt can use.
repository=$roots/repository
make_repository() {
  rm -rf "$repository"
  local number=0 name built=(build/package/libapache2-mod-tls_*.deb) tree=$roots/tree version code
  for name in first second third; do
    mkdir -p "$repository/$name"
    version=$(dpkg-deb -f "${built[0]}" Version)
    if [ $number = 0 ]; then
      cp "${built[0]}" "$repository/$name/"
    else
      rm -rf "$tree"
      dpkg-deb -R "${built[0]}" "$tree"
      version=$version+$number
      sed -i "s/^Version: .*/Version: $version/" "$tree/DEBIAN/control"
      code=$(echo "$tree"/usr/lib/libapache2-mod-tls/mod_tls-*.so)
      mv "$code" "${code%/*}/mod_tls-$name.so"
      tools/stub.sh "${code%/*}/mod_tls-$name.so" "$tree/usr/lib/apache2/modules/mod_tls.so" /usr/lib/libapache2-mod-tls
      (cd "$tree" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z | xargs -0 md5sum > DEBIAN/md5sums)
      dpkg-deb -Zgzip -z1 --root-owner-group -b "$tree" "$repository/$name/" >/dev/null || return
    fi
    echo "$version" > "$repository/$name/version"
    (cd "$repository" && dpkg-scanpackages -m "$name" > "$name/Packages" 2>/dev/null &&
      printf 'Origin: mod_tls\nSuite: %s\nDate: %s\nSHA256:\n %s %s Packages\n' "$name" "$(date -u -R)" \
        "$(sha256sum < "$name/Packages" | cut -d' ' -f1)" "$(stat -c %s "$name/Packages")" > "$name/Release") || return
    number=$((number + 1))
  done
  rm -rf "$tree"
}

# make_root NAME: a minimal system, once; what a run changes is a copy.
make_root() {
  local base=$roots/$1.base
  [ -d "$base" ] && return
  mkdir -p "$roots"
  rm -rf "$base.part"  # of a run that was killed
  mmdebstrap --quiet --mode=root --variant=minbase --include=apt,ca-certificates "$1" "$base.part" "${sources[$1]}" || return
  mv "$base.part" "$base"
}

# try NAME: the whole way in a copy of the root, in namespaces of its own; the last line says how it went.
try() {
  if [ "$1" = container ]; then
    need_packages podman runc conmon
    make_root trixie && tests/platforms/container/try.sh "$roots/trixie.base"
    return
  fi
  local root=$roots/$1
  make_root "$1" || { echo "no root could be made"; return 1; }
  rm -rf "$root"
  cp -a "$roots/$1.base" "$root"
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  cp -r "$repository" tests/platforms/newcomer.sh debian/tests/serve README.md docs "$root/srv/"
  chmod 755 "$root/srv/newcomer.sh"
  for file in /etc/apt/apt.conf.d/99*; do [ ! -e "$file" ] || cp "$file" "$root/etc/apt/apt.conf.d/"; done
  root=$root unshare --mount --pid --fork --propagation private bash -euc '
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    exec chroot "$root" /usr/bin/env -i HOME=/root TERM=dumb LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /srv/newcomer.sh' < /dev/null
}

need_rust
ls build/package/libapache2-mod-tls_*.deb >/dev/null 2>&1 || tools/package.sh
need_packages mmdebstrap
make_repository || die "no archive could be made of the package"
names=("$@")
[ $# -gt 0 ] || names=(bookworm trixie jammy noble resolute)
failed=0 rows=()
for name in "${names[@]}"; do
  [ "$name" = container ] || [ -n "${sources[$name]:-}" ] || die "platforms does not know '$name'"
  say "$name"
  log=$roots/$name.log
  mkdir -p "$roots"
  if try "$name" > "$log" 2>&1; then verdict=ok; else verdict=FAILED failed=1; tail -n 15 "$log"; fi
  rows+=("| $name | $(sed -n 's/^httpd: //p' "$log" | tail -1) | $verdict | $(date -u +%F) |")
  rm -rf "${roots:?}/$name"
done
printf '| system | httpd | result | date |\n|---|---|---|---|\n'
printf '%s\n' "${rows[@]}"
exit $failed
