#!/usr/bin/env bash
# Installs the Debian package in fresh roots of other systems and does what the README says, to the letter.
# usage: platforms.sh [NAME...]    names: bookworm trixie jammy noble resolute (default: all)
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

# make_root NAME: a minimal system, once; what a run changes is a copy.
make_root() {
  local base=$roots/$1.base
  [ -d "$base" ] && return
  mkdir -p "$roots"
  mmdebstrap --quiet --mode=root --variant=minbase --include=apt,ca-certificates "$1" "$base.part" "${sources[$1]}" || return
  mv "$base.part" "$base"
}

# try NAME: the whole way in a copy of the root, in namespaces of its own; the last line says how it went.
try() {
  local root=$roots/$1
  make_root "$1" || { echo "no root could be made"; return 1; }
  rm -rf "$root"
  cp -a "$roots/$1.base" "$root"
  cp /etc/resolv.conf /etc/hosts "$root/etc/"
  cp build/package/libapache2-mod-tls_*.deb tests/platforms/newcomer.sh README.md "$root/srv/"
  for file in /etc/apt/apt.conf.d/99*; do [ ! -e "$file" ] || cp "$file" "$root/etc/apt/apt.conf.d/"; done
  root=$root unshare --mount --pid --fork --propagation private bash -euc '
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    exec chroot "$root" /usr/bin/env -i HOME=/root TERM=dumb LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash /srv/newcomer.sh' < /dev/null
}

ls build/package/libapache2-mod-tls_*.deb >/dev/null 2>&1 || tools/package.sh
need_packages mmdebstrap
names=("$@")
[ $# -gt 0 ] || names=(bookworm trixie jammy noble resolute)
failed=0 rows=()
for name in "${names[@]}"; do
  [ -n "${sources[$name]:-}" ] || die "platforms does not know '$name'"
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
