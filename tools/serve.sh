#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# httpd with mod_tls in the foreground: a local CA, a certificate for localhost, a page that shows what was negotiated.
# usage: serve.sh [--port N] [--root DIR]
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
source tools/common.sh
here=$(realpath .)

port=8443 site=
while [ $# -gt 0 ]; do
  case $1 in
    --port) port=${2:?--port needs a number}; shift ;;
    --root) site=$(realpath "${2:?--root needs a directory}"); shift ;;
    *) die "serve does not know '$1'" ;;
  esac
  shift
done
[[ $port =~ ^[0-9]{1,5}$ ]] && ((port > 0 && port < 65536)) || die "'$port' is no port"
# Also who listens on [::1] alone is who a browser may find at localhost.
if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || (exec 3<>"/dev/tcp/::1/$port") 2>/dev/null; then die "port $port is in use; ./dev serve --port N takes another"; fi

httpd=$(command -v apache2 || echo /usr/sbin/apache2)
modules=$(apxs -q LIBEXECDIR)
certs=$here/build/serve
mkdir -p "$certs"
state=$(mktemp -d "${TMPDIR:-/tmp}/mod_tls-serve.XXXXXX")
chmod 755 "$state"
server=
finish() {
  trap '' INT TERM
  trap - EXIT
  if [ -n "$server" ] && kill -0 "$server" 2>/dev/null; then
    kill -TERM "$server"
    wait "$server" || true
    say "stopped"
  fi
  rm -rf "$state"
}
trap finish EXIT
# A second Ctrl-C while it stops is for nobody.
trap 'trap "" INT TERM; exit 0' INT TERM

new_key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"
  chmod 600 "$1"
}

# The CA may sign for this machine's own names alone, so that trusting it in a browser risks nothing else.
make_authority() {
  new_key "$certs/ca.key"
  openssl req -x509 -new -key "$certs/ca.key" -sha256 -days 825 -subj "/CN=mod_tls local CA" -out "$certs/ca.pem" \
    -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
    -addext "nameConstraints=critical,permitted;DNS:localhost,permitted;IP:127.0.0.0/255.0.0.0,permitted;IP:::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
}

make_certificate() {
  new_key "$certs/localhost.key"
  openssl req -new -key "$certs/localhost.key" -subj "/CN=localhost" |
    openssl x509 -req -CA "$certs/ca.pem" -CAkey "$certs/ca.key" -set_serial "0x$(openssl rand -hex 15)" -sha256 -days 90 \
      -out "$certs/localhost.pem" -extfile <(
        printf '%s\n' "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" \
          "extendedKeyUsage=serverAuth" "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1" \
          "authorityKeyIdentifier=keyid" "subjectKeyIdentifier=hash") 2>/dev/null
}

valid() { openssl x509 -in "$1" -noout -checkend 604800 >/dev/null 2>&1; }
umask 022
exec 9>"$certs/lock"
flock 9  # another ./dev serve may begin at the same time
valid "$certs/ca.pem" || { say "making a local CA"; make_authority; rm -f "$certs/localhost.pem"; }
valid "$certs/localhost.pem" || make_certificate
exec 9>&-

defines=()
if [ -z "$site" ]; then
  # A copy, since httpd's user may not be allowed into the directory of the checkout.
  cp -r examples/site "$state/site"
  site=$state/site
fi
if [ "$(id -u)" = 0 ]; then
  defines=(-D as_root)
  setpriv --reuid www-data --regid www-data --clear-groups test -x "$site" -a -r "$site" ||
    die "httpd's user www-data cannot read $site"
fi

# Its own session: Ctrl-C reaches this script alone, which then stops httpd in order; should the script die, so does httpd.
setsid setpriv --pdeathsig TERM "$httpd" -D FOREGROUND "${defines[@]}" \
  -C "Define tls_port $port" -C "Define site \"$site\"" -C "Define state \"$state\"" -C "Define certs \"$certs\"" \
  -C "Define module \"${MOD_TLS_SO:-$here/build/release/mod_tls.so}\"" -C "Define modules \"$modules\"" \
  -f "$here/examples/serve.conf" &
server=$!
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
  kill -0 "$server" 2>/dev/null || { cat "$state/error.log" 2>/dev/null || true; die "httpd did not start"; }
  sleep 0.1
done
cat <<TEXT

  https://localhost:$port/
  curl --cacert $certs/ca.pem https://localhost:$port/facts.json

  A browser trusts the page once it trusts the authority $certs/ca.pem. Ctrl-C stops the server.

TEXT
tail -q -n +1 -F --pid "$server" "$state/error.log" "$state/access.log" 2>/dev/null &
wait "$server" || die "httpd ended with code $?"
