#!/bin/sh
# Install what a requirements file names and the lock lacks: LOCK REQUIREMENTS FOLDER. uv and its cache are gone with
# this one layer.
set -eu
. "$(dirname "$0")/build_settings.sh"

# In /opt, as in install_packages.sh.
work=$(mktemp -d /opt/install.XXXXXX)
trap 'rm -rf "$work" /ferry/.venv' EXIT
export UV_CACHE_DIR="$work/cache" UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=1 TMPDIR="$work"

mkdir "$3"
python scripts/runners install-packages "$@"
chmod -R a+rX "$3"
