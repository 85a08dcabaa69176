#!/usr/bin/env bash
# What a newcomer does on a fresh system with the package in /srv: install it, make a site of the README's lines, ask it,
# renew its certificate without a restart, and go from mod_ssl to mod_tls and back. Runs as root in a root of its own.
set -euo pipefail
cd /srv

step() { echo "== $*"; }
fail() { echo "FAILED: $*"; tail -n 30 /var/log/apache2/error.log 2>/dev/null; exit 1; }
# On a machine of its own nothing else listens here; in a root the network is the outer machine's.
port=${PORT:-18443}
trap 'apache2ctl stop >/dev/null 2>&1 || true' EXIT

step "apt install"
apt-get update -q >/dev/null
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
apt-get install -y -q --no-install-recommends ./libapache2-mod-tls_*.deb apache2 curl openssl >/tmp/apt.log 2>&1 || { tail -20 /tmp/apt.log; fail "apt"; }
echo "httpd: $(apache2 -v | sed -n 's|.*Apache/\([0-9.]*\).*|\1|p') (glibc $(ldd --version | sed -n '1s/.* //p'))"
[ ! -e /etc/apache2/mods-enabled/tls.load ] || fail "the installation enabled the module"

certificate() {  # certificate CN: a new one, whole, in place of the old
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$1" \
    -addext subjectAltName=DNS:www.example.org -keyout /tmp/new.key -out /tmp/new.pem 2>/dev/null
  chmod 600 /tmp/new.key
  mv /tmp/new.key /etc/tls/www.key
  mv /tmp/new.pem /etc/tls/www.pem
}
served() { echo | openssl s_client -connect "127.0.0.1:$port" -servername www.example.org 2>/dev/null | openssl x509 -noout -subject; }
ask() { curl -sS --cacert /etc/tls/www.pem --resolve "www.example.org:$port:127.0.0.1" "$@"; }

step "a site of the README's lines"
mkdir -p /etc/tls
certificate first
sed -n '/^    <VirtualHost/,/^    <\/VirtualHost/p' README.md | sed "s/^    //; s/\*:443/*:$port/" > /etc/apache2/sites-available/www.conf
grep -q TLSCertificate /etc/apache2/sites-available/www.conf || fail "the README has no site"
sed -i "s/Listen 443/Listen $port/" /etc/apache2/mods-available/tls.conf
sed -i "s/Listen 443/Listen $port/; s/^Listen 80$/Listen 127.0.0.1:18080/" /etc/apache2/ports.conf
echo "ServerName www.example.org" > /etc/apache2/conf-available/name.conf
a2enconf -q name
a2enmod -q tls
a2dissite -q 000-default
a2ensite -q www
echo hello > /var/www/html/index.html
apache2ctl start || fail "start"
for _ in $(seq 50); do ask "https://www.example.org:$port/" >/dev/null 2>&1 && break; sleep 0.2; done
[ "$(ask "https://www.example.org:$port/")" = hello ] || fail "no answer"

step "200 handshakes, and one that stalls"
exec 9<>"/dev/tcp/127.0.0.1/$port"
for _ in $(seq 200); do ask -o /dev/null "https://www.example.org:$port/"; done
exec 9>&-

step "renewal without a restart"
sleep 2
certificate second
for _ in $(seq 60); do [ "$(served | tr -d ' ')" = subject=CN=second ] && break; sleep 1; done
[ "$(served | tr -d ' ')" = subject=CN=second ] || fail "still $(served)"
apache2ctl stop
for _ in $(seq 50); do [ -e /run/apache2/apache2.pid ] || break; sleep 0.2; done
sleep 1

step "from mod_ssl and back"
a2dismod -q tls
a2enmod -q ssl headers
cat > /etc/apache2/sites-available/www.conf <<TEXT
<VirtualHost *:$port>
ServerName www.example.org
DocumentRoot /var/www/html
SSLEngine on
SSLCertificateFile /etc/tls/www.pem
SSLCertificateKeyFile /etc/tls/www.key
Header always set X-Library "expr=%{SSL_VERSION_LIBRARY}"
</VirtualHost>
TEXT
library() { ask -i "https://www.example.org:$port/" | sed -n 's/^X-Library: \([A-Za-z]*\).*/\1/p'; }
apache2ctl start
sleep 1
[ "$(library)" = OpenSSL ] || fail "mod_ssl does not answer"
mod-tls-switch to-rustls || fail "to-rustls"
[ "$(library)" = rustls ] || fail "not rustls"
mod-tls-switch to-openssl || fail "to-openssl"
[ "$(library)" = OpenSSL ] || fail "not OpenSSL again"
mod-tls-switch to-rustls >/dev/null || fail "to-rustls once more"

step "removal"
apt-get remove -y -q libapache2-mod-tls >/tmp/apt.log 2>&1 || { tail /tmp/apt.log; fail "removal"; }
[ "$(library)" = OpenSSL ] || fail "after the removal mod_ssl does not answer"
[ ! -e /etc/apache2/mods-available/ssl.load.mod_ssl ] || fail "something is still diverted"
! pgrep tls-keys >/dev/null 2>&1 || fail "the key agent is still there"
grep -E ':(error|emerg|alert|crit)\]|exit signal' /var/log/apache2/error.log && fail "the error log"
apache2ctl stop
echo "ok"
