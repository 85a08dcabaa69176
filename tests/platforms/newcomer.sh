#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a newcomer does on a fresh system, by the README and the guide to the letter: commands and configurations are taken
# from the documents. Runs as root in a root of its own, with /srv/repository (three versions of the package),
# /srv/README.md, /srv/docs and /srv/serve (debian/tests/serve).
# usage: newcomer.sh             the whole way: installs, then goes on in a network of its own
set -euo pipefail
cd /srv

step() { echo "== $*"; }
fail() {
  echo "FAILED: $*"
  tail -n 30 /var/log/apache2/error.log 2>/dev/null
  exit 1
}

# --- what the documents show ----------------------------------------------------------------------------------------------

section() {  # section PAGE HEADING: its lines, without configurations between fences
  awk -v heading="$2" '/^```/ { fence = !fence; next } !fence && /^#+ / { on = ($0 ~ "^#+ " heading "$") } on && !fence' "$1"
}
block() {  # block PAGE HEADING N: the Nth block of the section that is indented
  section "$1" "$2" | awk -v wanted="$3" '/^    / { if (!on) n++; on = 1; if (n == wanted) print substr($0, 5); next } /./ { on = 0 }'
}
type_in() {  # type_in PAGE HEADING N [SED]: runs these commands as they stand there, one after the other; SED fills in a place to be filled in
  block "$1" "$2" "$3" | sed "${4:-}" > /tmp/typed
  [ -s /tmp/typed ] || fail "$1 has no such commands: $2, $3"
  sed 's/^/  $ /' /tmp/typed
  sh -e /tmp/typed > /tmp/typed.log 2>&1 || { cat /tmp/typed.log; fail "what $1 says under \"$2\""; }
}
shown() {  # shown PAGE N: the Nth configuration that a page of the guide shows
  awk -v wanted="$2" '/^```apache$/ { n++; on = 1; next } /^```$/ { on = 0 } on && n == wanted' "$1"
}

if [ "${1:-}" != inside ]; then
  step "apt install"
  # Here the network is the outer machine's: nothing may be started yet.
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  # Nobody answers questions. The package has been built already, and its command is not asked to do it here.
  # What was downloaded is kept for the upgrade of apache2, which has no network.
  printf '%s\n' 'APT::Get::Assume-Yes "true";' 'APT::Install-Recommends "false";' 'Binary::apt::APT::Keep-Downloaded-Packages "true";' \
    > /etc/apt/apt.conf.d/98newcomer
  mkdir -p build/package
  cp repository/first/*.deb build/package/
  printf '#!/bin/sh\n[ "$*" = package ]\n' > dev
  chmod 755 dev
  apt-get update -q >/dev/null
  type_in README.md Install 1 '1!d'
  [ ! -e /etc/apache2/mods-enabled/tls.load ] || fail "the installation enabled the module"
  type_in README.md Install 1 1d
  apt-get install -q curl openssl unattended-upgrades >/tmp/apt.log 2>&1 || { tail -20 /tmp/apt.log; fail "apt"; }
  rm /usr/sbin/policy-rc.d
  exec unshare --net /srv/newcomer.sh inside
fi
# The loopback of this network is down.
python3 -c 'import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 0x41))'

echo "httpd: $(apache2 -v | sed -n 's|.*Apache/\([0-9.]*\).*|\1|p') (glibc $(ldd --version | sed -n '1s/.* //p'))"
# There is no systemd in a root: what the documents ask of it is done by apache2ctl.
cat > /usr/local/bin/systemctl <<'TEXT'
#!/bin/sh
[ "$2" = apache2 ] || exit 1
case $1 in
reload) exec apache2ctl graceful ;;
restart)
  pid=$(cat /run/apache2/apache2.pid 2>/dev/null || echo none)
  if [ -e "/proc/$pid" ]; then apache2ctl stop; fi
  while [ -e "/proc/$pid" ]; do sleep 0.1; done
  exec apache2ctl start
  ;;
esac
exit 1
TEXT
chmod 755 /usr/local/bin/systemctl
trap 'apache2ctl stop >/dev/null 2>&1 || true' EXIT

# --- what the guide takes for granted: authorities, certificates, names --------------------------------------------------

mkdir -p /etc/tls
chmod 755 /etc/tls
ec="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
# shellcheck disable=SC2086
openssl req -x509 $ec -days 30 -subj "/CN=an authority" -keyout /etc/tls/ca.key -out /etc/tls/ca.pem 2>/dev/null
certificate() {  # certificate FILE CN [NAME...]: a new one, whole, in place of the old
  local file=$1 cn=$2 names=""
  shift 2
  for name in "$@"; do names="$names${names:+,}DNS:$name"; done
  # shellcheck disable=SC2086
  openssl req $ec -subj "/CN=$cn" -keyout /tmp/new.key -out /tmp/new.csr 2>/dev/null
  printf '%s\n' "subjectAltName=${names:-DNS:$cn}" "basicConstraints=CA:FALSE" > /tmp/new.ext
  openssl x509 -req -in /tmp/new.csr -CA /etc/tls/ca.pem -CAkey /etc/tls/ca.key -set_serial "0x$(openssl rand -hex 8)" \
    -days 30 -extfile /tmp/new.ext -out /tmp/new.pem 2>/dev/null
  chmod 600 /tmp/new.key
  mv /tmp/new.key "/etc/tls/$file.key"
  mv /tmp/new.pem "/etc/tls/$file.pem"
}
certificate www first www.example.org intern.example.org
certificate app app app.internal.example
certificate machine machine
certificate visitor visitor
cp /etc/tls/ca.pem /etc/tls/clients-ca.pem
cp /etc/tls/ca.pem /etc/tls/backends-ca.pem
chmod 600 /etc/tls/ca.key
echo "127.0.0.1 www.example.org intern.example.org app.internal.example" >> /etc/hosts
echo "ServerName www.example.org" > /etc/apache2/conf-available/name.conf
echo hello > /var/www/html/index.html

site() {  # site NAME: what stands in standard input is the only site
  cat > "/etc/apache2/sites-available/$1.conf"
  [ -s "/etc/apache2/sites-available/$1.conf" ] || fail "the documents have no such configuration"
  a2dissite -q -f '*' >/dev/null 2>&1 || true
  a2ensite -q "$1"
}
answering() {  # answering URL: until it does
  for _ in $(seq 50); do ask "$1" >/dev/null 2>&1 && return; sleep 0.2; done
  fail "no answer at $1"
}
ask() { curl -sS --cacert /etc/tls/ca.pem "$@"; }
served() { echo | openssl s_client -connect 127.0.0.1:443 -servername www.example.org 2>/dev/null | openssl x509 -noout -subject | tr -d ' '; }
children() { awk -v parent="$(cat /run/apache2/apache2.pid)" '$2 == "(apache2)" && $4 == parent { print $1 }' /proc/[0-9]*/stat 2>/dev/null; }
again() {  # a graceful restart, as the guide says; children of before answer until they hear of it
  local child before
  apache2ctl -t 2>/tmp/test.log || { cat /tmp/test.log; fail "the configuration"; }
  before=$(children || true)
  apache2ctl graceful
  sleep 1
  for child in $before; do
    for _ in $(seq 100); do
      if [ ! -e "/proc/$child" ]; then break; fi
      sleep 0.2
    done
  done
}
stop() {
  local pid
  pid=$(cat /run/apache2/apache2.pid)
  apache2ctl stop
  for _ in $(seq 100); do [ -e "/proc/$pid" ] || return 0; sleep 0.2; done
  fail "httpd does not stop"
}

# --- by the README and the guide ------------------------------------------------------------------------------------------

step "a site of the README's lines"
[ -e /etc/apache2/mods-enabled/tls.load ] || fail "a2enmod tls did nothing"
a2enconf -q name
place=$(grep -o '/etc/apache2/sites-available/[a-z]*\.conf' README.md | head -1)
block README.md Install 2 > "$place"
type_in README.md Install 3
answering https://www.example.org/
[ "$(ask https://www.example.org/)" = hello ] || fail "no answer"

step "the guide's first site"
a2dissite -q www
a2dismod -q tls
rm -f "$place"
type_in docs/guide/first-site.md "The first site" 1
shown docs/guide/first-site.md 1 > "$(grep -o '/etc/apache2/sites-available/[a-z]*\.conf' docs/guide/first-site.md | head -1)"
type_in docs/guide/first-site.md "The first site" 2
type_in docs/guide/first-site.md "The first site" 3
answering https://www.example.org/

step "from http to https, and HTTP/2"
type_in docs/guide/first-site.md "From http to https" 1
shown docs/guide/first-site.md 4 | site www
again
[ "$(curl -sS -o /dev/null -w '%{redirect_url}' http://www.example.org/)" = https://www.example.org/ ] || fail "http leads nowhere"
ask -i https://www.example.org/ | grep -qi '^strict-transport-security: max-age' || fail "no such header"
type_in docs/guide/first-site.md "HTTP/2" 1
shown docs/guide/first-site.md 5 | site www
systemctl restart apache2  # as the page says of a module that is new
answering https://www.example.org/
[ "$(ask -o /dev/null -w '%{http_version}' https://www.example.org/)" = 2 ] || fail "not HTTP/2"
type_in docs/guide/operating.md "What to watch" 1
grep -q www.example.org /tmp/typed.log || fail "the dump does not have the site"

step "200 handshakes, and one that stalls"
exec 9<>/dev/tcp/127.0.0.1/443
for _ in $(seq 200); do ask -o /dev/null https://www.example.org/; done
exec 9>&-

step "renewal without a restart"
sleep 2
certificate www second www.example.org intern.example.org
for _ in $(seq 60); do [ "$(served)" = subject=CN=second ] && break; sleep 1; done
[ "$(served)" = subject=CN=second ] || fail "still $(served)"

step "mutual TLS"
shown docs/guide/client-certificates.md 1 | site mutual
again
! ask https://intern.example.org/ >/dev/null 2>&1 || fail "who has no certificate is let in"
grep -q TLS040 /var/log/apache2/error.log || fail "nothing is said of who was refused"
[ "$(ask --cert /etc/tls/visitor.pem --key /etc/tls/visitor.key https://intern.example.org/)" = hello ] || fail "the certificate is refused"

step "a proxy, to a backend that wants a certificate"
type_in docs/guide/reverse-proxy.md "Reverse proxy" 1
{
  shown docs/guide/reverse-proxy.md 2
  printf '%s\n' '<VirtualHost *:443>' 'ServerName app.internal.example' 'DocumentRoot /var/www/html' \
    'TLSCertificate /etc/tls/app.pem /etc/tls/app.key' 'TLSClientCertificate required' \
    'TLSClientCA /etc/tls/clients-ca.pem' '</VirtualHost>'
} | site proxy
again
[ "$(ask https://www.example.org/)" = hello ] || fail "the backend is not reached"

step "a secret for several machines"
type_in docs/guide/several-machines.md "Several machines" 1
shown docs/guide/several-machines.md 1 | site www
again
[ "$(ask https://www.example.org/)" = hello ] || fail "no answer"

# --- each configuration that the guide shows ------------------------------------------------------------------------------

guides_files() {  # what its pages name besides
  local ml_dsa=ML-DSA-65
  mkdir -p /var/www/shop
  certificate shop shop shop.example.org example.org
  cat /etc/tls/www.pem /etc/tls/www.key > /etc/tls/both.pem
  cp /etc/tls/both.pem /etc/tls/tls.pem
  ec="-newkey rsa:2048 -nodes" certificate rsa rsa www.example.org
  if openssl genpkey -algorithm $ml_dsa -out /dev/null 2>/dev/null; then ec="-newkey $ml_dsa -nodes" certificate mldsa mldsa www.example.org; fi
  cp /etc/tls/www.pem /etc/tls/locked.pem
  openssl pkcs8 -topk8 -v2 aes-256-cbc -in /etc/tls/www.key -passout pass:secret -out /etc/tls/locked.key
  printf '#!/bin/sh\necho secret\n' > /etc/tls/passphrase
  : > /tmp/index
  printf '%s\n' '[ca]' 'default_ca = d' '[d]' 'database = /tmp/index' 'default_md = sha256' > /tmp/ca.conf
  openssl ca -config /tmp/ca.conf -gencrl -keyfile /etc/tls/ca.key -cert /etc/tls/ca.pem -crldays 30 -out /etc/tls/clients.crl 2>/dev/null
  chmod 600 /etc/tls/*.pem /etc/tls/*.key
  chmod 644 /etc/tls/ca.pem /etc/tls/clients-ca.pem /etc/tls/backends-ca.pem
  chmod 700 /etc/tls/passphrase
}
# answers_to FILE: the status of each virtual host of TLS that it has, asked by who has a certificate
answers_to() {
  local name
  for name in $(awk '/^<VirtualHost \*:443>/ { on = 1 } on && $1 == "ServerName" { print $2; on = 0 }' "$1"); do
    printf '%s=%s ' "$name" "$(curl -sSk -o /dev/null -w '%{http_code}' --cert /etc/tls/visitor.pem --key /etc/tls/visitor.key \
      --connect-to ::127.0.0.1: "https://$name/" 2>/dev/null || true)"
  done
}
step "each configuration that the guide shows"
guides_files
cp -r /etc/apache2/mods-enabled /tmp/mods-enabled
for page in docs/guide/*.md; do
  sed -n 's/^    \(a2enmod [a-z0-9_ ]*\)$/\1/p' "$page" > /tmp/typed
  sh -e /tmp/typed >/tmp/typed.log 2>&1 || { cat /tmp/typed.log; fail "the modules of $page"; }
  for n in $(seq 20); do
    shown "$page" "$n" > /tmp/shown
    [ -s /tmp/shown ] || break
    if grep -q mldsa /tmp/shown && [ ! -e /etc/tls/mldsa.pem ]; then echo "  $page $n: OpenSSL here makes no such key"; continue; fi
    site guide < /tmp/shown >/dev/null
    if grep -q TLSKeyPassphrase /tmp/shown; then  # "the first time this takes a stop and a start"
      systemctl restart apache2
      sleep 2
    else
      again
    fi
    expected='200|403|404' said=$(answers_to /tmp/shown)
    case $page in  # nobody stands behind the name, or there is no certificate yet
      *reverse-proxy.md) expected='200|403|404|50[023]' ;;
      *mod_md.md) expected=503 ;;
    esac
    grep -q not-yet.pem /tmp/shown && expected=503
    if grep -q "TLSPostQuantum require" /tmp/shown && ! echo "$said" | grep -q =200; then
      grep -q 'TLS0402.*post-quantum' /var/log/apache2/error.log || fail "$page $n: $said"
      expected=000
    fi
    echo "  $page $n: $said"
    ! echo "$said" | tr ' ' '\n' | grep -vE "^(|.*=($expected))$" || fail "$page $n"
  done
done
# What was announced there, such as backends that nobody serves, is not looked at again at the end.
mv /var/log/apache2/error.log /tmp/guide.log
rm /var/log/apache2/tls.log  # that of operating.md
rm -rf /etc/apache2/mods-enabled
mv /tmp/mods-enabled /etc/apache2/mods-enabled
block README.md Install 2 | site www
again
[ "$(ask https://www.example.org/)" = hello ] || fail "no answer"

# --- an upgrade -----------------------------------------------------------------------------------------------------------

no_agent() {  # it ends with the last child that it signs for
  for _ in $(seq 60); do [ "$(running tls-keys)$(running tls-signer)" = 00 ] && return; sleep 1; done
  ps -eo pid,ppid,stat,etimes,args 2>/dev/null || grep -H . /proc/[0-9]*/comm
  fail "the key agent is still there"
}
running() { grep -lx "$1" /proc/[0-9]*/comm 2>/dev/null | wc -l; }
load() {  # asks until /tmp/load goes; writes what was lost
  while [ -e /tmp/load ]; do
    if ask -o /dev/null https://www.example.org/ 2>>/tmp/lost; then echo >> /tmp/asked; fi
    sleep 0.1  # unattended-upgrade is nice to others
  done
}
upgrade() {  # upgrade VERSION: by unattended-upgrades, under load
  rm -f /tmp/lost
  : > /tmp/asked
  touch /tmp/load
  for _ in 1 2 3; do load & done
  sleep 1
  echo "deb [trusted=yes] file:/srv/repository $1/" > /etc/apt/sources.list.d/ours.list
  apt-get update -q -o Dir::Etc::sourcelist=sources.list.d/ours.list -o Dir::Etc::sourceparts=- \
    -o APT::Get::List-Cleanup=0 >/tmp/apt.log 2>&1 || { cat /tmp/apt.log; fail "apt-get update"; }
  echo 'Unattended-Upgrade::Origins-Pattern { "origin=mod_tls"; };' > /etc/apt/apt.conf.d/52ours
  unattended-upgrade -v >/tmp/apt.log 2>&1 || { cat /tmp/apt.log; fail "unattended-upgrade"; }
  [ "$(dpkg-query -W -f '${Version}' libapache2-mod-tls)" = "$(cat "repository/$1/version")" ] ||
    { cat /tmp/apt.log; fail "the package was not upgraded"; }
  local at new child
  at=$(wc -l < /tmp/asked)
  for _ in $(seq 300); do [ "$(wc -l < /tmp/asked)" -gt $((at + 100)) ] && break; sleep 0.2; done
  rm /tmp/load
  wait
  [ ! -s /tmp/lost ] || fail "lost by the upgrade, besides $(wc -l < /tmp/asked) that were answered: $(sort /tmp/lost | uniq -c)"
  [ "$(wc -l < /tmp/asked)" -gt $((at + 100)) ] || fail "there was no load"
  # Children of before end with their connections, and the agent of before with them.
  for _ in $(seq 60); do [ "$(running tls-keys)" = 1 ] && break; sleep 1; done
  [ "$(running tls-keys)" = 1 ] && [ "$(running tls-signer)" = 1 ] || fail "the agent of the build before is still there"
  new=$(cd /usr/lib/libapache2-mod-tls && echo mod_tls-*.so)
  [ -n "$(children)" ] || fail "there are no children"
  for child in $(children); do
    grep -q "$new" "/proc/$child/maps" || fail "child $child has not got $new"
  done
  echo "$(wc -l < /tmp/asked) requests while it was upgraded, none lost"
}

step "an upgrade under load, by unattended-upgrades"
block README.md Install 2 | site www
again
upgrade second

step "a removal that a site does not allow changes nothing"
! apt-get remove -q libapache2-mod-tls >/tmp/apt.log 2>&1 || fail "it was removed"
grep -q 'www.conf:4: TLSEngine' /tmp/apt.log || { cat /tmp/apt.log; fail "it does not say which site"; }
[ "$(dpkg-query -W -f '${db:Status-Status}' libapache2-mod-tls)" = installed ] || fail "it is half removed"
[ "$(ask https://www.example.org/)" = hello ] && [ -e /etc/apache2/mods-enabled/tls.load ] || fail "the site does not answer"
again
[ "$(ask https://www.example.org/)" = hello ] || fail "the site does not answer after a restart"
step "and one that nothing forbids leaves httpd running"
a2dissite -q www
again
apt-get remove -q libapache2-mod-tls >/tmp/apt.log 2>&1 || { tail -20 /tmp/apt.log; fail "removal"; }
[ ! -e /etc/apache2/mods-enabled/tls.load ] || fail "the module is still enabled"
no_agent
[ "$(curl -sS --retry 20 --retry-connrefused --retry-delay 1 http://www.example.org/)" = hello ] || fail "httpd does not answer any more"
apt-get install -q ./repository/second/*.deb >/tmp/apt.log 2>&1 || { tail -20 /tmp/apt.log; fail "the package again"; }

# --- from mod_ssl and back ------------------------------------------------------------------------------------------------

step "from mod_ssl and back"
stop
a2enmod -q ssl headers
sed -e 's/TLSEngine/SSLEngine/' -e 's|TLSCertificate \(\S*\) \(\S*\)|SSLCertificateFile \1\n    SSLCertificateKeyFile \2|' \
  -e 's|^</V|    Header always set X-Library "expr=%{SSL_VERSION_LIBRARY}"\n&|' <(block README.md Install 2) | site old
library() { ask -i https://www.example.org/ | sed -n 's/^x-library: \([A-Za-z]*\).*/\1/Ip'; }
answered() {  # answered LIBRARY WHEN
  for _ in $(seq 25); do [ "$(library 2>/dev/null)" = "$1" ] && return; sleep 0.2; done
  fail "$2: not $1 but '$(library)'"
}
apache2ctl start
answered OpenSSL "mod_ssl"

step "a week of watching"
# It says itself what to type next.
mod-tls-switch watch | tee /tmp/said
sh -e <(sed -n 's/.* Now: //p' /tmp/said) || fail "what mod-tls-switch watch says"
# Until the log of the new configuration is there.
for _ in $(seq 50); do
  ask -o /dev/null https://www.example.org/ 2>/dev/null && [ -s /var/log/apache2/tls-watch.log ] && break
  sleep 0.2
done
: > /var/log/apache2/tls-watch.log
ask -o /dev/null https://www.example.org/
# Such a client knows no HTTP/2, which is refused over suites like this one (RFC 9113, appendix A).
ask -o /dev/null --http1.1 --tls-max 1.2 --ciphers DHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA256 -A "old client" https://www.example.org/
mod-tls-switch report | tee /tmp/report
grep -q '2 requests, 1 (50.00 %)' /tmp/report || fail "the report"
grep -q 'old client' /tmp/report || fail "the report names no client"
a2disconf -q mod-tls-watch
rm /var/log/apache2/tls-watch.log
again

step "what it would meet, and to-rustls"
type_in docs/migrating-from-mod_ssl.md "Migrating from mod_ssl" 4 's|/path/to/|/usr/lib/apache2/modules/|'
cat /tmp/typed.log
block docs/migrating-from-mod_ssl.md "Migrating from mod_ssl" 2 > /tmp/switch
[ "$(cat /tmp/switch)" = "mod-tls-switch to-rustls
mod-tls-switch to-openssl" ] || fail "the document has other commands"
sh -e <(sed -n 1p /tmp/switch) || fail "to-rustls"
answered rustls "to-rustls"
step "a2dismod, a2enmod and an upgrade of apache2 leave it"
a2dismod -q ssl && a2enmod -q ssl
apt-get install -y -q --reinstall apache2 apache2-bin >/tmp/apt.log 2>&1 || { tail /tmp/apt.log; fail "apache2 again"; }
apache2ctl graceful
sleep 2
answered rustls "after an upgrade of apache2"
step "an upgrade of the package in mod_ssl's place, under load"
upgrade third
answered rustls "after the upgrade"
step "to-openssl, and to-rustls once more"
sh -e <(sed -n 2p /tmp/switch) || fail "to-openssl"
answered OpenSSL "to-openssl"
mod-tls-switch to-rustls >/dev/null || fail "to-rustls once more"

step "removal"
apt-get remove -y -q libapache2-mod-tls >/tmp/apt.log 2>&1 || { tail /tmp/apt.log; fail "removal"; }
answered OpenSSL "after the removal"
[ ! -e /etc/apache2/mods-available/ssl.load.mod_ssl ] || fail "something is still diverted"
! dpkg-divert --list | grep -q ssl.load || fail "a diversion is left"
no_agent
! grep -E ':(error|emerg|alert|crit)\]|exit signal' /var/log/apache2/error.log || fail "the error log"
stop

step "the package's own test"
a2dismod -q -f ssl
a2dissite -q -f old
apt-get install -y -q "$(echo /srv/repository/first/*.deb)" >/tmp/apt.log 2>&1 || { tail /tmp/apt.log; fail "the package again"; }
rm -rf /etc/tls
sh /srv/serve || fail "debian/tests/serve"
apt-get purge -y -q libapache2-mod-tls >/tmp/apt.log 2>&1 || { tail /tmp/apt.log; fail "purge"; }
[ -z "$(find /etc/apache2 /var/log/apache2 -name 'tls.*' -o -name "mod-tls*" -o -name "tls-watch*")" ] || fail "left: $(find /etc/apache2 /var/log/apache2 -name 'tls.*' -o -name "mod-tls*" -o -name "tls-watch*")"
echo "ok"
