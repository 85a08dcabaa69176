#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The RPM spec of a version, made of packaging/rpm/mod_tls.spec.
# usage: rpm.sh VERSION DAY FILE      DAY: seconds since 1970, for the changelog
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
sed -e "s/@VERSION@/$1/g" -e "s/@DATE@/$(LC_ALL=C date -u -d "@$2" '+%a %b %d %Y')/" packaging/rpm/mod_tls.spec > "$3"
