#!/usr/bin/env bash
# Signs one Windows program with the certificate INSELNETZ_CERT; does nothing
# without one. The time in the signature is the commit's, unless a time stamp
# service gives its own.
set -euo pipefail
[ -n "${INSELNETZ_CERT:-}" ] || exit 0
args=(-pkcs12 "$INSELNETZ_CERT" -h sha256 -n Inselnetz -time "$SOURCE_DATE_EPOCH")
[ -z "${INSELNETZ_CERT_PASSWORD:-}" ] || args+=(-readpass "$INSELNETZ_CERT_PASSWORD")
[ -z "${INSELNETZ_TIMESTAMP:-}" ] || args+=(-ts "$INSELNETZ_TIMESTAMP")
osslsigncode sign "${args[@]}" -in "$1" -out "$1.signed" >/dev/null
mv "$1.signed" "$1"
