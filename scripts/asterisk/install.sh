#!/bin/sh
# Puts a real Asterisk 16 (Debian 11's package) with its libraries in a folder of its own, for `make test-asterisk`. Takes about
# 75 seconds and 360 MB once, nothing the next time. Needs root: it makes a small Debian and runs its package manager in it.
# Prints the folder as its last line.
set -eu

state=${CALLER_ID_ASTERISK:-${XDG_CACHE_HOME:-$HOME/.cache}/caller-id-asterisk}
root=$state/bullseye

can_not() {
    echo "the Asterisk tests cannot run here: $1" >&2
    exit 77
}

[ "$(id -u)" = 0 ] || can_not "making a Debian folder (debootstrap) and running Asterisk in it (chroot) need root"
command -v apt-get >/dev/null 2>&1 || can_not "they need apt-get, for debootstrap and sipp"

if ! command -v debootstrap >/dev/null 2>&1 || ! command -v sipp >/dev/null 2>&1; then
    { apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap sip-tester; } >&2 ||
        can_not "apt-get does not install debootstrap and sip-tester"
fi

# The archive that this machine's own apt uses, when it is Debian's.
archive() {
    apt-get indextargets --format '$(REPO_URI)' | awk -v wanted="$1" '$0 ~ wanted {print; exit}'
}
debian=${DEBIAN_MIRROR:-$(archive '/debian/?$')}
security=${DEBIAN_SECURITY_MIRROR:-$(archive '/debian-security/?$')}
debian=${debian:-http://deb.debian.org/debian}
security=${security:-http://deb.debian.org/debian-security}

mkdir -p "$state"
# Two runs at the same time: the second waits for the first.
exec 9>"$state/lock"
flock 9

show_why() {
    tail -n 5 "$1" >&2
    can_not "$2"
}
if [ ! -e "$root/.bootstrapped" ]; then
    echo "making a small Debian 11 in $root" >&2
    rm -rf "$root"
    debootstrap --variant=minbase --include=ca-certificates bullseye "$root" "$debian" >"$state/debootstrap.log" 2>&1 ||
        show_why "$state/debootstrap.log" "debootstrap ended with an error, all of it is in $state/debootstrap.log"
    touch "$root/.bootstrapped"
fi
if [ ! -e "$root/.asterisk" ]; then
    echo "installing Asterisk in it" >&2
    # No service starts, neither here nor there.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    printf 'deb %s bullseye main\ndeb %s bullseye-security main\n' "$debian" "$security" >"$root/etc/apt/sources.list"
    printf 'APT::Install-Recommends "false";\nAcquire::Languages "none";\nDpkg::Use-Pty "0";\n' \
        >"$root/etc/apt/apt.conf.d/99rig"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    export DEBIAN_FRONTEND=noninteractive LC_ALL=C
    { chroot "$root" apt-get update -q &&
        chroot "$root" apt-get install -y -q asterisk asterisk-modules &&
        chroot "$root" apt-get clean; } >"$state/apt.log" 2>&1 ||
        show_why "$state/apt.log" "Asterisk was not installed, all of it is in $state/apt.log"
    touch "$root/.asterisk"
fi
echo "$root"
