#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the files of this directory anew with OpenSSL 3: keys and certificates in all the forms that are met in the wild.
set -eu
cd "$(dirname "$0")"
days=36500

key() { openssl genpkey -quiet "$@" 2>/dev/null || openssl genpkey "$@" 2>/dev/null; }
self() { # name key extra...
  name=$1; shift
  openssl req -x509 -new -key "$name.pkcs8.pem" -out "$name.crt.pem" -days $days -subj "/CN=$name.example" \
    -addext "subjectAltName=DNS:$name.example,DNS:*.$name.example,IP:192.0.2.1" "$@"
}

key -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pkcs8.pem
key -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out rsa1024.pkcs8.pem
for curve in 256 384 521; do key -algorithm EC -pkeyopt ec_paramgen_curve:P-$curve -out p$curve.pkcs8.pem; done
key -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1 -out k256.pkcs8.pem
key -algorithm ED25519 -out ed25519.pkcs8.pem
key -algorithm ED448 -out ed448.pkcs8.pem
key -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out rsapss.pkcs8.pem
limit="-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md"
key $limit:sha384 -pkeyopt rsa_pss_keygen_mgf1_md:sha384 -pkeyopt rsa_pss_keygen_saltlen:48 -out rsapss384.pkcs8.pem
key $limit:sha1 -out rsapss1.pkcs8.pem

# The older forms, as the tools of their time wrote them: parameters first, text around.
openssl rsa -in rsa.pkcs8.pem -traditional -out rsa.pkcs1.pem
for curve in 256 384 521; do
  { openssl ecparam -name $(openssl ec -in p$curve.pkcs8.pem -noout -text 2>/dev/null | sed -n 's/ASN1 OID: //p')
    openssl ec -in p$curve.pkcs8.pem 2>/dev/null; } > p$curve.sec1.pem
done
openssl ec -in p256.pkcs8.pem -no_public -out p256.nopublic.pem 2>/dev/null
openssl pkey -in rsa.pkcs8.pem -pubout -out rsa.public.pem

for name in rsa rsa1024 p256 p384 p521 ed25519 rsapss rsapss384; do self $name; done
self p256 -sha1 && mv p256.crt.pem p256.sha1.crt.pem && self p256

# X.509 version 1, without any extension.
openssl req -new -key p256.pkcs8.pem -subj "/CN=v1.example" -out v1.csr
openssl x509 -req -in v1.csr -key p256.pkcs8.pem -days $days -out p256.v1.crt.pem 2>/dev/null
rm v1.csr
openssl x509 -in p256.crt.pem -trustout -addtrust serverAuth -setalias "an alias" -out p256.trusted.crt.pem
openssl x509 -in p256.crt.pem -text -out p256.text.crt.pem
openssl x509 -in p256.crt.pem -outform DER -out p256.crt.der

# Encrypted keys; the pass phrase is "test phrase" everywhere.
enc() { out=$1; shift; openssl pkcs8 -topk8 -in p256.pkcs8.pem -passout "pass:test phrase" -out "$out" "$@"; }
enc p256.aes256.enc.pem -v2 aes-256-cbc
enc p256.aes128.sha1.enc.pem -v2 aes-128-cbc -v2prf hmacWithSHA1
enc p256.des3.enc.pem -v2 des3
enc p256.scrypt.enc.pem -scrypt
enc p256.pbes1.enc.pem -v1 PBE-SHA1-3DES
for cipher in aes128 aes192 aes256 des3; do
  openssl rsa -in rsa.pkcs8.pem -traditional -$cipher -passout "pass:test phrase" -out rsa.$cipher.proc.pem
done
openssl ec -in p256.pkcs8.pem -aes256 -passout "pass:test phrase" -out p256.aes256.proc.pem 2>/dev/null
openssl rsa -in rsa.pkcs8.pem -traditional -camellia256 -passout "pass:test phrase" -out rsa.camellia256.proc.pem

# For the search of memory: a pass phrase of its own, which no test has in its text.
printf 'test phrase from a file\n' > phrase
openssl rsa -in rsa.pkcs8.pem -traditional -aes256 -passout file:phrase -out rsa.aes256.phrase.pem
openssl pkcs8 -topk8 -in rsa.pkcs8.pem -scrypt -passout file:phrase -out rsa.scrypt.phrase.pem
# What Windows and tools of before OpenSSL 3 encrypt with.
for scheme in PBE-MD5-DES PBE-SHA1-DES PBE-MD5-RC2-64 PBE-SHA1-RC2-64 PBE-SHA1-2DES PBE-SHA1-RC2-128 PBE-SHA1-RC2-40; do
  enc "p256.$(echo $scheme | tr A-Z a-z).enc.pem" -v1 $scheme -provider legacy -provider default
done
p12() { out=$1; shift; openssl pkcs12 -export -in p256.crt.pem -inkey p256.pkcs8.pem -certfile rsa.crt.pem \
  -passout "pass:test phrase" -out "$out" "$@"; }
p12 p256.p12
p12 p256.sha512.p12 -macalg sha512 -keypbe AES-128-CBC -certpbe AES-128-CBC
p12 p256.legacy.p12 -legacy
p12 p256.plain.p12 -keypbe NONE -certpbe NONE
p12 p256.nomac.p12 -nomac
openssl pkcs12 -export -in p256.crt.pem -inkey p256.pkcs8.pem -passout pass: -out p256.empty.p12
openssl pkcs12 -export -in p256.crt.pem -nokeys -passout "pass:test phrase" -out p256.nokey.p12
