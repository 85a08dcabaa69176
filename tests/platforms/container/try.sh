#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds examples/container/Dockerfile by podman, and asks of the container what docs/guide/containers.md says of it.
# Then cmake --install into that httpd, which is one from source with a prefix of its own.
# usage: try.sh ROOT      ROOT: a minimal Debian 13, of which httpd's official image is made, since it cannot be had everywhere
# RUNTIME names another runtime than runc.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
cd "$here/../../.."
root=$1
work=$(mktemp -d)
container=
finish() {
  [ -z "$container" ] || podman rm -f -t 1 "$container" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT
step() { echo "== $*"; }
fail() {
  echo "FAILED: $*"
  [ -z "$container" ] || podman logs "$container" 2>&1 | tail -n 30
  exit 1
}
# start OPTION...: a container, whose id is then in $container. On a busy machine the kernel may say EBUSY when the runtime
# seals the copy of itself that it runs: that is no fault of the recipe.
start() {
  local try
  for try in 1 2 3 4 5 6; do
    rm -f "$work/id"
    container=$(podman --runtime "${RUNTIME:-runc}" run --cidfile "$work/id" "$@" 2>"$work/log") && return
    [ ! -s "$work/id" ] || podman rm -f "$(cat "$work/id")" >/dev/null 2>&1 || true
    grep -q "resource busy" "$work/log" || break
    sleep "$try"
  done
  cat "$work/log"
  container=
  fail "no container"
}
build=(podman build -q --network=host --isolation=chroot)
for file in /etc/apt/apt.conf.d/99*; do [ ! -e "$file" ] || build+=(-v "$file:/etc/apt/apt.conf.d/99here:ro"); done

step "images"
podman image exists localhost/debian || tar -C "$root" -c . | podman import -q - localhost/debian
podman image exists localhost/httpd || "${build[@]}" -t localhost/httpd -f "$here/httpd.Containerfile" "$here" >"$work/log" 2>&1 ||
  { tail -n 20 "$work/log"; fail "httpd's image"; }

step "the recipe"
mkdir -p "$work/context/build/package" "$work/context/examples"
cp -r examples/container "$work/context/examples/"
cp build/package/libapache2-mod-tls_*.deb "$work/context/build/package/"
"${build[@]}" --build-arg HTTPD=localhost/httpd -t localhost/httpd-tls -f "$work/context/examples/container/Dockerfile" "$work/context" \
  >"$work/log" 2>&1 || { tail -n 30 "$work/log"; fail "the recipe"; }

certificate() {  # certificate CN: as an orchestrator replaces a secret, by a symbolic link
  local folder
  folder=$(mktemp -d "$work/tls/..XXXXXX")
  chmod 755 "$folder"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" \
    -addext subjectAltName=DNS:www.example.org -keyout "$folder/key" -out "$folder/certificate" 2>/dev/null
  cat "$folder/certificate" "$folder/key" > "$folder/tls.pem"
  rm "$folder/key"
  chmod 0400 "$folder/tls.pem"
  ln -sfn "$(basename "$folder")" "$work/tls/..data.new"
  mv -T "$work/tls/..data.new" "$work/tls/..data"
  [ -e "$work/tls/tls.pem" ] || ln -s ..data/tls.pem "$work/tls/tls.pem"
  cp "$folder/certificate" "$work/ca.pem"
}
mkdir -m 755 "$work/tls"
# The container has a network of its own that leads nowhere; it is asked from inside of it, by this machine's programs.
inside() { nsenter -t "$(podman inspect -f '{{.State.Pid}}' "$container")" -n -- "$@"; }
ask() { inside curl -sS --cacert "$work/ca.pem" --resolve www.example.org:443:127.0.0.1 https://www.example.org/; }
answers() { for _ in $(seq 50); do ask >/dev/null 2>&1 && return; sleep 0.2; done; fail "no answer"; }
processes() { podman top "$container" pid comm state capeff 2>/dev/null; }

run() {  # run [OPTION...] IMAGE
  certificate first
  start -d --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 --network=none -v "$work/tls:/etc/tls:ro" "$@"
  answers
  processes
  podman top "$container" pid args | grep -Eq '^1 +httpd' || fail "httpd is not process 1"
  [ "$(processes | grep -c tls-)" = 2 ] || fail "there are not two processes that hold keys"
  step "  a secret is replaced"
  sleep 2
  certificate second
  for _ in $(seq 30); do ask >/dev/null 2>&1 && break; sleep 1; done
  ask >/dev/null || fail "the new certificate is not served"
  step "  a signer that dies is replaced, and nothing is left of it"
  kill -9 "$(podman top "$container" hpid comm | awk '$2 == "tls-signer" { print $1 }')"
  answers
  for _ in $(seq 50); do processes | awk '$3 == "Z"' | grep -q . || break; sleep 0.2; done
  ! processes | awk '$3 == "Z"' | grep . || fail "zombies"
  [ "$(processes | grep -c tls-)" = 2 ] || fail "there are not two processes that hold keys any more"
  for _ in $(seq 150); do podman logs "$container" 2>&1 | grep -q TLS0304 && break; sleep 0.2; done
  podman logs "$container" 2>&1 | grep -q TLS0304 || fail "nothing is said of the signer"
  podman logs "$container" 2>&1 | grep TLS0 | grep -v TLS0402 | sed 's/^/    /'
  step "  stop"
  podman stop -t 20 "$container" >/dev/null
  [ "$(podman inspect -f '{{.State.ExitCode}}' "$container")" = 0 ] || fail "it ended with $(podman inspect -f '{{.State.ExitCode}}' "$container")"
  podman rm -f "$container" >/dev/null
  container=
  rm -rf "${work:?}/tls"
  mkdir -m 755 "$work/tls"
}
step "as the guide runs it"
run localhost/httpd-tls
step "with three capabilities, read-only"
run --read-only --tmpfs /usr/local/apache2/logs --cap-drop ALL --cap-add NET_BIND_SERVICE --cap-add SETUID --cap-add SETGID \
  --security-opt no-new-privileges localhost/httpd-tls

step "cmake --install, by the apxs of a httpd in /usr/local/apache2"
podman image exists localhost/httpd-build || printf '%s\n' 'FROM localhost/httpd' \
  'RUN apt-get update -q && apt-get install -y -q --no-install-recommends cmake g++ ninja-build' > "$work/build.Containerfile"
podman image exists localhost/httpd-build || "${build[@]}" -t localhost/httpd-build -f "$work/build.Containerfile" "$work" >"$work/log" 2>&1 ||
  { tail -n 20 "$work/log"; fail "compilers"; }
sysroot=$(rustc --print sysroot)
start -d --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 --network=host -v "$PWD:$PWD" -v "$sysroot:$sysroot:ro" -v "${CARGO_HOME:-$HOME/.cargo}:/cargo" -w "$PWD" \
  -e CARGO_HOME=/cargo -e "PATH=$sysroot/bin:/usr/local/apache2/bin:/usr/local/bin:/usr/bin:/bin" localhost/httpd-build sleep 3600
podman exec "$container" sh -ec '
  cmake --preset debug -B build/other-prefix -DAPXS=/usr/local/apache2/bin/apxs -DBUILD_TESTING=OFF
  cmake --build build/other-prefix --target mod_tls
  cmake --install build/other-prefix
  cd /usr/local/apache2 && cp '"$PWD"'/examples/container/tls.conf conf/extra/ && echo "Include conf/extra/tls.conf" >> conf/httpd.conf
  ' >"$work/log" 2>&1 || { tail -n 20 "$work/log"; fail "cmake"; }
grep '^-- Installing: /usr/local/apache2/modules/mod_tls.so$' "$work/log" || fail "it is not where apxs says"
podman commit -q -c 'CMD ["httpd-foreground"]' -c 'WORKDIR /usr/local/apache2' "$container" localhost/httpd-installed >/dev/null
podman rm -f -t 1 "$container" >/dev/null
run localhost/httpd-installed
start --rm --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 --network=none localhost/httpd-tls httpd -v
version=$container container=
echo "httpd: $(sed -n 's|.*Apache/\([0-9.]*\).*|\1|p' <<<"$version") (from source, in /usr/local/apache2)"
echo ok
