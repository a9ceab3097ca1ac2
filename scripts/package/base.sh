#!/bin/sh
# Makes a small Debian 12 in a folder of its own, for tests that install in it. Takes a minute once, nothing the next time.
# Needs root. Prints the folder as its last line; nothing is ever changed in it: tests take a copy.
set -eu

state=${CALLER_ID_DEBIAN:-${XDG_CACHE_HOME:-$HOME/.cache}/caller-id-debian}
root=$state/bookworm

[ "$(id -u)" = 0 ] || { echo "making a Debian folder (debootstrap, chroot) needs root" >&2; exit 1; }
command -v apt-get >/dev/null 2>&1 || { echo "apt-get is missing: this is tested on Debian or Ubuntu" >&2; exit 1; }
if ! command -v debootstrap >/dev/null 2>&1; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap; } >&2
fi

# The archive that this machine's own apt uses, when it is Debian's.
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' | awk '/\/debian\/?$/ {print; exit}')}
mirror=${mirror:-http://deb.debian.org/debian}

mkdir -p "$state"
# Two runs at the same time: the second waits for the first.
exec 9>"$state/lock"
flock 9
if [ ! -e "$root/.bootstrapped" ]; then
    echo "making a small Debian 12 in $root" >&2
    rm -rf "$root"
    if ! debootstrap --variant=minbase bookworm "$root" "$mirror" >"$state/debootstrap.log" 2>&1; then
        tail -n 5 "$state/debootstrap.log" >&2
        echo "debootstrap ended with an error, all of it is in $state/debootstrap.log" >&2
        exit 1
    fi
    # No service starts in it.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    rm -rf "$root"/var/cache/apt/archives/*.deb
    touch "$root/.bootstrapped"
fi
echo "$root"
