#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes with OpenSSL 3 what the target ocsp judges responses by (leaf.der, issuer.der, now), and its seeds: responses of
# every kind that responders give.
set -eu
cd "$(dirname "$0")"
seeds=$PWD/../corpus/ocsp
mkdir -p "$seeds"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$PWD
cd "$work"

key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null ||
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"; }
certificate() { # name serial, extensions on standard input
  key "$1"
  cat > "$1.ext"
  openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA issuer.crt -CAkey issuer.key -set_serial "$2" -days 36500 -extfile "$1.ext" \
    -out "$1.crt" 2>/dev/null
}
key issuer
openssl req -x509 -new -key issuer.key -subj /CN=issuer -days 36500 -out issuer.crt
echo "subjectAltName=DNS:a.example" | certificate leaf 4096
echo "extendedKeyUsage=OCSPSigning" | certificate responder 4097
echo "subjectAltName=DNS:b.example" | certificate other 4098

index() { printf '%s\t%s\t%s\t%s\tunknown\t%s\n' "$1" 21260101000000Z "$2" "$3" "/CN=leaf" > index; }
respond() { # seed, then options of the responder
  name=$1; shift
  openssl ocsp -issuer issuer.crt $digest -cert "$subject" -reqout request -no_nonce
  openssl ocsp -index index -CA issuer.crt -reqin request -respout "$seeds/$name" "$@" > /dev/null 2>&1
}
own="-rsigner issuer.crt -rkey issuer.key"
named="-rsigner responder.crt -rkey responder.key"
digest= subject=leaf.crt
index V "" 1000
respond good $own -ndays 7
respond good-by-responder $named -ndays 7
respond good-by-key-hash $named -ndays 7 -resp_key_id
respond good-without-end $own
respond good-without-certificate $own -ndays 7 -resp_no_certs
respond responder-without-certificate $named -ndays 7 -resp_no_certs
digest=-sha256
respond good-sha256 $own -ndays 7
digest=
respond stranger -rsigner other.crt -rkey other.key -ndays 7
subject=other.crt
respond foreign $own -ndays 7
subject=leaf.crt
index V "" 1009
respond unknown $own -ndays 7
index R 250101000000Z,keyCompromise 1000
respond revoked $own -ndays 7
printf '\060\003\012\001\003' > "$seeds/try-later"

for name in leaf issuer; do openssl x509 -in $name.crt -outform DER -out "$here/$name.der"; done
date +%s > "$here/now"
