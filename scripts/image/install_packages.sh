#!/bin/sh
# Install locks into /opt/ferry, the package REPLACED making way for them, and leave nothing else behind: uv and its
# cache are gone with this one layer.
set -eu
. "$(dirname "$0")/build_settings.sh"

# In /opt rather than /tmp: on the environment's own file system packages are linked out of the cache, not copied.
work=$(mktemp -d /opt/install.XXXXXX)
trap 'rm -rf "$work"' EXIT
export UV_CACHE_DIR="$work/cache" UV_NO_CONFIG=1 UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=1 TMPDIR="$work"

python3 -m venv "$work/uv"
"$work/uv/bin/python" -m pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes --no-deps \
    -r requirements/uv.lock
uv=$work/uv/bin/uv
if [ ! -d /opt/ferry ]; then
    "$uv" venv --quiet --python "$(command -v python3)" /opt/ferry
fi
if [ -n "${REPLACED:-}" ]; then
    "$uv" pip uninstall --quiet --python /opt/ferry/bin/python "$REPLACED"
fi
for lock in "$@"; do
    "$uv" pip install --quiet --python /opt/ferry/bin/python --require-hashes --no-deps --compile-bytecode \
        --build-constraints "$1" -r "$lock"
done
