#!/bin/sh
# A newcomer's path from the README to calls with rotated numbers, followed literally: what is typed is read out of the documents'
# own lines. `where-possible`: where that cannot be, says so loudly, and that is all. Needs root, for a small Debian 12 that the
# package is installed in, an Asterisk in one of its own, and a network that nobody else is in. The binary is CALLER_ID_BINARY, or
# one of a quick build.
set -eu
cd "$(dirname "$0")/../.."

can_not() {
    {
        echo
        echo "*** NOT TESTED: a newcomer's path through the documents: $1"
        echo "*** Run \`make test-newcomer\` as root on a Debian or Ubuntu that reaches its package archive."
        echo
    } >&2
    [ "$2" != where-possible ] || exit 0
    exit 77
}
mode=${1:-}
status=0
asterisk=$(sh scripts/asterisk/install.sh | tail -n 1) || status=$?
{ [ "$status" = 0 ] && [ -n "$asterisk" ]; } || can_not "there is no Asterisk, why is said above" "$mode"
base=$(sh scripts/package/base.sh | tail -n 1)
[ -n "$base" ] || can_not "there is no small Debian, why is said above" "$mode"
unshare --net --pid --fork --kill-child --mount-proc true 2>/dev/null ||
    can_not "no network of its own can be made (unshare)" "$mode"
for needed in setpriv strip dpkg-deb ip make cc; do
    command -v "$needed" >/dev/null 2>&1 || can_not "$needed is missing: apt-get install util-linux binutils dpkg iproute2 make gcc" "$mode"
done

binary=${CALLER_ID_BINARY:-}
if [ -z "$binary" ]; then
    "${CARGO:-cargo}" build --package caller-id --locked
    binary=${CARGO_TARGET_DIR:-target}/debug/caller-id
fi

# A newcomer's machine has curl, the smallest Debian has not: its packages are fetched once.
curl=$(dirname "$base")/curl
(
    exec 9>"$curl.lock"
    flock 9
    [ ! -e "$curl/.whole" ] || exit 0
    echo "fetching curl for it" >&2
    rm -rf "$curl" "$curl.root"
    cp -a "$base" "$curl.root"
    cp /etc/resolv.conf "$curl.root/etc/resolv.conf"
    export DEBIAN_FRONTEND=noninteractive LC_ALL=C
    { chroot "$curl.root" apt-get update -q &&
        chroot "$curl.root" apt-get install -y -q --no-install-recommends --download-only curl; } >"$curl.log" 2>&1 ||
        { tail -n 5 "$curl.log" >&2; exit 1; }
    mkdir "$curl"
    cp "$curl.root"/var/cache/apt/archives/*.deb "$curl/"
    rm -rf "$curl.root"
    touch "$curl/.whole"
) || can_not "curl is not to be had, why is said above" "$mode"

work=$(mktemp -d)
rig=$(mktemp -d "$asterisk/var/tmp/newcomer-XXXXXX")
trap 'rm -rf "$work" "$rig"' EXIT
strip -o "$work/caller-id" "$binary"
cp -a "$base" "$work/root"
cp "$curl"/*.deb "$work/root/var/cache/apt/archives/"
chroot "$work/root" sh -c 'dpkg --install /var/cache/apt/archives/*.deb' >"$work/curl.log" 2>&1 ||
    { cat "$work/curl.log" >&2; exit 1; }
# The ports of the documents are free in a network of its own, and whatever was started ends with it.
unshare --net --pid --fork --kill-child --mount-proc sh scripts/newcomer/path.sh "$work" "$asterisk" "$rig"
