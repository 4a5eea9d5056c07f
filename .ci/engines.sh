# Sourced by run: Docker and Podman, in storage of their own, and an image that stands in for the one that the
# Dockerfiles are built on, so that no registry of images is needed. All of it is gone when the shell exits.

ENGINES=$(mktemp --directory --tmpdir=/var/tmp ferry-ci.XXXXXX)
DOCKERD=

stop_engines() {
    if [ -n "$DOCKERD" ]; then
        kill "$DOCKERD" 2>/dev/null || true
        wait "$DOCKERD" 2>/dev/null || true
    else
        docker rmi "$BASE_IMAGE" >/dev/null 2>&1 || true
    fi
    # Both engines may leave their storage mounted on itself.
    awk -v folder="$ENGINES/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort --reverse |
        xargs --no-run-if-empty umount --lazy || true
    rm -rf "$ENGINES"
}
trap stop_engines EXIT

install_engines() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get update
    apt-get install --yes --no-install-recommends \
        docker.io iptables podman netavark runc mmdebstrap util-linux </dev/null
}

# Docker. One that answers is used and left as it is.
for program in dockerd podman runc mmdebstrap setpriv; do
    command -v "$program" >/dev/null || { install_engines && break; }
done
mkdir "$ENGINES/bin"
if ! docker buildx version >/dev/null 2>&1 && [ -x /usr/bin/docker ]; then
    # A newer client without its plugin cannot build; Debian's needs none.
    ln -s /usr/bin/docker "$ENGINES/bin/docker"
    export PATH="$ENGINES/bin:$PATH"
fi
if ! docker info >/dev/null 2>&1; then
    export DOCKER_HOST="unix://$ENGINES/docker.sock"
    dockerd --host "$DOCKER_HOST" --data-root "$ENGINES/docker" --exec-root "$ENGINES/run" \
        --pidfile "$ENGINES/docker.pid" </dev/null >"$ENGINES/dockerd.log" 2>&1 &
    DOCKERD=$!
    for _ in $(seq 60); do
        docker info >/dev/null 2>&1 && break
        sleep 0.5
    done
    docker info >/dev/null || { tail "$ENGINES/dockerd.log" && exit 1; }
    chmod a+rx "$ENGINES"
fi

# The stand-in: Debian's own packages, and the Python that the virtual environment was made with.
export BASE_IMAGE=ferry-stand-in:bookworm
PREFIX=$(.venv/tf2.4/bin/python -c 'import sys; print(sys.base_prefix)')
mkdir --parents "$ENGINES/python/usr/local/bin" "$ENGINES/python/usr/local/lib"
cp --archive "$PREFIX/bin/python3.8" "$ENGINES/python/usr/local/bin/"
ln -s python3.8 "$ENGINES/python/usr/local/bin/python3"
cp --archive "$PREFIX/lib/python3.8" "$ENGINES/python/usr/local/lib/"
cp --archive "$PREFIX"/lib/libpython3.8* "$ENGINES/python/usr/local/lib/" 2>/dev/null || true
rm -rf "$ENGINES"/python/usr/local/lib/python3.8/{site-packages/*,test,config-*}
NEEDED=ca-certificates,libbz2-1.0,libexpat1,libffi8,liblzma5,libncursesw6,libreadline8,libsqlite3-0,libssl3,libuuid1,zlib1g
mmdebstrap --quiet --variant=minbase --include="$NEEDED" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --customize-hook="sync-in '$ENGINES/python' /" --customize-hook='chroot "$1" ldconfig' \
    bookworm "$ENGINES/base.tar" </dev/null
docker import "$ENGINES/base.tar" "$BASE_IMAGE" >/dev/null

# Podman.
cat >"$ENGINES/storage.conf" <<END
[storage]
driver = "overlay"
graphroot = "$ENGINES/podman"
runroot = "$ENGINES/podman-run"
END
export CONTAINERS_STORAGE_CONF="$ENGINES/storage.conf"
podman import --quiet "$ENGINES/base.tar" "$BASE_IMAGE" >/dev/null
rm -rf "$ENGINES/base.tar" "$ENGINES/python"
if ! podman run --rm --network=none "$BASE_IMAGE" true >/dev/null 2>&1; then
    # Not every machine has the control groups that crun asks for, or lets a limit be raised.
    printf '%s\n' '[containers]' 'default_ulimits = ["nofile=4096:8192", "nproc=4096:4096"]' \
        '[engine]' 'runtime = "runc"' 'cgroup_manager = "cgroupfs"' >"$ENGINES/containers.conf"
    export CONTAINERS_CONF="$ENGINES/containers.conf"
    podman run --rm --network=none "$BASE_IMAGE" true
fi

# From here on a missing engine is a failure, where elsewhere its tests are skipped.
export FERRY_ENGINE_REQUIRED=1
