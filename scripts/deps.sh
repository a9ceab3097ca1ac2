#!/bin/sh
# Installs what building and testing need and this machine has not: `linker`, or everything when nothing is named.
set -eu

if ! command -v cargo >/dev/null 2>&1; then
    echo "cargo is missing: install Rust 1.90 or newer first, see https://rustup.rs" >&2
    exit 1
fi

# SQLite is built from C, and Rust links with it.
if ! command -v cc >/dev/null 2>&1; then
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gcc libc6-dev
    else
        echo "a C compiler is missing: sudo apt-get install gcc libc6-dev" >&2
        exit 1
    fi
fi

if [ "${1:-all}" = all ] && ! cargo nextest --version >/dev/null 2>&1; then
    cargo install cargo-nextest --locked
fi

# Tests of the Redis engine start servers of their own.
if [ "${1:-all}" = all ] && ! command -v redis-server >/dev/null 2>&1; then
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        apt-get update -qq
        # Its service is not wanted, only the program: where there is a policy already, it stays.
        policy=/usr/sbin/policy-rc.d
        made=
        if [ ! -e "$policy" ]; then
            printf '#!/bin/sh\nexit 101\n' >"$policy"
            chmod 755 "$policy"
            made=yes
            trap 'rm -f "$policy"' EXIT
        fi
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server
        if [ -n "$made" ]; then
            rm -f "$policy"
            trap - EXIT
        fi
    else
        echo "redis-server is missing, tests need it: sudo apt-get install redis-server" >&2
        exit 1
    fi
fi

# Tests start a PostgreSQL of their own. The package would start one too, for the whole machine: it is told not to.
if [ "${1:-all}" = all ] && ! command -v initdb >/dev/null 2>&1 && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        mkdir -p /etc/postgresql-common
        [ -e /etc/postgresql-common/createcluster.conf ] ||
            echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql
    else
        echo "PostgreSQL is missing, tests need it: sudo apt-get install postgresql" >&2
        exit 1
    fi
fi
