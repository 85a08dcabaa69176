# SPDX-License-Identifier: Apache-2.0
# Sourced by ./dev and the scripts beside this file: messages, Debian packages, the Rust toolchain, CMake presets.
# shellcheck shell=bash

top=${top:-$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")}
export DEBIAN_FRONTEND=noninteractive

say() { printf '\033[1m== %s\033[0m\n' "$*"; }
die() { printf 'dev: %s\n' "$*" >&2; exit 1; }

declare -A packages=(
  [build]="apache2 apache2-dev g++ cmake ninja-build libgtest-dev openssl ca-certificates python3 git"
  [lint]="clang-tidy python3-venv"
  [test]="python3-pytest python3-pytest-xdist python3-pytest-timeout python3-cryptography python3-prometheus-client python3-jsonschema python3-markdown-it rpm rpmlint prometheus gnutls-bin nghttp2-client curl procps gdb
    faketime libfaketime redis-server memcached testssl.sh chromium libnss3-tools python3-venv certbot
    python3-certbot-apache valgrind pebble nginx-light nodejs libapache2-mod-fcgid libapache2-mod-wsgi-py3 libapache2-mpm-itk
    putty-tools openssh-client unzip debhelper"
  [bench]="python3-cryptography nghttp2-client strace util-linux nginx-light"
  [package]="dpkg-dev debhelper lintian python3-markdown-it"
)

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo -E "$@"
  else die "this needs root or sudo: $*"
  fi
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# A freshly installed apache2 must not start on port 80 of the developer's machine: for the time of the
# installation an absent policy-rc.d is replaced by one that forbids starting services. Packages of modules enable
# them, that of mpm_itk another MPM: what was enabled before stays so, and nothing else.
apt_install() {
  local policy=/usr/sbin/policy-rc.d made= enabled=etc/apache2/mods-enabled before=
  [ ! -d /$enabled ] || before=$(tar -C / -c $enabled | base64)
  if [ ! -e $policy ]; then
    made=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
  fi
  local code=0
  as_root apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0 "$@" || code=$?
  [ -z "$made" ] || as_root rm -f $policy
  if [ -n "$before" ]; then
    as_root rm -rf /$enabled
    base64 -d <<<"$before" | as_root tar -C / -x
  fi
  return $code
}

# need_packages NAME...: installs those that are missing.
need_packages() {
  local missing=() name
  for name in "$@"; do installed "$name" || missing+=("$name"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "please install: ${missing[*]}"
  say "installing ${missing[*]}"
  as_root apt-get update -q -o Dpkg::Use-Pty=0
  apt_install "${missing[@]}" || die "apt-get could not install ${missing[*]}"
}

rust_wanted=1.88.0
# Puts a rustc that is new enough on PATH: the one there, rustup's, one of a distribution under a name of its own
# (/usr/lib/rust-1.NN, as Ubuntu has it), Debian's rustc where it is new enough, or rustc-web.
need_rust() {
  rust_is_new_enough "" && return
  local dir name
  for dir in "${CARGO_HOME:-$HOME/.cargo}/bin" /usr/lib/rust-*/bin; do
    rust_is_new_enough "$dir:" && { export PATH="$dir:$PATH"; return; }
  done
  command -v apt-get >/dev/null || die "Rust $rust_wanted or later is needed: https://rustup.rs installs one"
  as_root apt-get update -q -o Dpkg::Use-Pty=0 >/dev/null 2>&1 || true
  for name in rustc-web rustc $(apt-cache pkgnames rustc-1. | sort -V -r); do
    packaged_rust_is_new_enough "$name" || continue
    case $name in
      rustc-web) need_packages rustc-web cargo-web rustfmt-web ;;
      *) need_packages "$name" "cargo${name#rustc}" ;;
    esac
    hash -r
    for dir in "" /usr/lib/rust-*/bin:; do
      rust_is_new_enough "$dir" && { export PATH="$dir$PATH"; return; }
    done
  done
  die "no package here has Rust $rust_wanted or later: https://rustup.rs installs one"
}

# rust_is_new_enough PREFIX: whether rustc and cargo are there with PREFIX before PATH.
rust_is_new_enough() {
  local version
  version=$(PATH="$1$PATH" rustc --version 2>/dev/null | cut -d' ' -f2) && [ -n "$version" ] &&
    PATH="$1$PATH" cargo --version >/dev/null 2>&1 && not_older "${version%%-*}"
}

packaged_rust_is_new_enough() {
  local version
  version=$(apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \([0-9.]*\).*/\1/p')
  [ -n "$version" ] && not_older "$version"
}

not_older() { printf '%s\n%s\n' $rust_wanted "$1" | sort -VC; }

# What lint and tests need of PyPI, pinned with hashes, in build/venv.
need_venv() {
  local wanted=(tools/requirements.txt tests/interop/requirements.txt) venv=build/venv
  cat "${wanted[@]}" 2>/dev/null | cmp -s - $venv/requirements.txt && return
  say "installing $(cat "${wanted[@]}" | grep -c '^[a-z]') packages of PyPI into $venv"
  rm -rf $venv
  /usr/bin/python3 -m venv $venv
  $venv/bin/pip install --quiet --disable-pip-version-check --require-hashes $(printf -- '-r %s ' "${wanted[@]}") ||
    die "pip could not install what ${wanted[*]} name"
  cat "${wanted[@]}" > $venv/requirements.txt
}

# axe-core of npm, pinned with its hash, in build/axe: it judges the status page.
need_axe() {
  local wanted=tests/interop/axe axe=build/axe
  cmp -s $wanted/package-lock.json $axe/installed && return
  command -v npm >/dev/null || need_packages npm
  say "installing axe-core of npm into $axe"
  rm -rf $axe
  mkdir -p $axe
  cp $wanted/package.json $wanted/package-lock.json $axe
  npm ci --prefix $axe --ignore-scripts --no-audit --no-fund --silent || die "npm could not install what $wanted/package-lock.json names"
  cp $wanted/package-lock.json $axe/installed
}

# need build|lint|serve|test|bench|package: packages and compilers for that purpose.
need() {
  local list=
  case $1 in
    build | lint) list=${packages[$1]} ;;
    bench | package) list="${packages[build]} ${packages[$1]}" ;;
    serve) list="${packages[build]} curl" ;;
    test) list="${packages[build]} ${packages[lint]} ${packages[test]}" ;;
    *) die "nothing is known that is needed for '$1'" ;;
  esac
  # shellcheck disable=SC2086
  need_packages $list
  need_rust
  case $1 in lint | test) need_venv ;; esac
  [ "$1" != test ] || need_axe
}

# write_changelog TREE VERSION EPOCH: Debian's, of which every release has one.
write_changelog() {
  cat > "$1/debian/changelog" <<TEXT
mod-tls ($2) unstable; urgency=medium

  * Version $2. CHANGELOG.md says what it means to its users.

 -- mod_tls maintainers <maintainers@mod-tls.example>  $(date -u -R -d "@$3")
TEXT
}

# build_preset NAME [TARGET]: configures where needed, and compiles.
build_preset() {
  local preset=$1 target=${2:-all}
  if [ ! -f "build/$preset/build.ninja" ]; then
    say "configuring ($preset)"
    cmake --preset "$preset"
  fi
  say "building ($preset)"
  cmake --build "build/$preset" --target "$target"
}
