#!/bin/sh
# make is all that the image needs beyond Python; a base that brings its own needs no package mirror.
set -eu
. "$(dirname "$0")/build_settings.sh"

if command -v make >/dev/null; then
    exit 0
fi
if [ -s /run/secrets/debian_mirror ]; then
    sources=$(mktemp)
    . /etc/os-release
    echo "deb $(cat /run/secrets/debian_mirror) $VERSION_CODENAME main" >"$sources"
    set -- -o "Dir::Etc::SourceList=$sources" -o Dir::Etc::SourceParts=/dev/null
fi
if [ -n "${SSL_CERT_FILE:-}" ]; then
    set -- "$@" -o "Acquire::https::CAInfo=$SSL_CERT_FILE"
fi
apt-get "$@" update
apt-get "$@" install --yes --no-install-recommends make
# apt's and dpkg's caches and logs change with every build and serve nobody.
rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/debconf/*-old /var/lib/dpkg/*-old \
    /var/log/apt /var/log/dpkg.log "${sources:-}"
