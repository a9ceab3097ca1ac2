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

# Tests start servers of their own. Debian's services are not wanted, only the programs: where there is a policy that says
# whether services start, it stays.
without_service() {
    if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
        echo "$1 is missing, tests need it: sudo apt-get install $1" >&2
        exit 1
    fi
    apt-get update -qq
    policy=/usr/sbin/policy-rc.d
    made=
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        made=yes
        trap 'rm -f "$policy"' EXIT
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1"
    if [ -n "$made" ]; then
        rm -f "$policy"
        trap - EXIT
    fi
}

if [ "${1:-all}" = all ] && ! command -v "${CALLER_ID_REDIS_SERVER:-redis-server}" >/dev/null 2>&1; then
    without_service redis-server
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

# Tests sign in over an identity provider that runs on node.
if [ "${1:-all}" = all ] && { ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; }; then
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm
    else
        echo "node or npm is missing, tests need them: sudo apt-get install nodejs npm" >&2
        exit 1
    fi
fi

# Tests look at the dashboard in a real browser.
if [ "${1:-all}" = all ] && ! command -v chromedriver >/dev/null 2>&1; then
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium chromium-driver
    else
        echo "chromedriver is missing, tests need it: sudo apt-get install chromium chromium-driver" >&2
        exit 1
    fi
fi

# A test of the OpenAPI document is a Python program with packages of its own.
if [ "${1:-all}" = all ] && ! python3 -c 'import ensurepip, venv' >/dev/null 2>&1; then
    if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv
    else
        echo "python3 or its venv is missing, tests need it: sudo apt-get install python3-venv" >&2
        exit 1
    fi
fi

# After PostgreSQL: the account it runs as comes with that. Some put it where only root looks.
if [ "${1:-all}" = all ] && ! command -v pgbouncer >/dev/null 2>&1 && [ ! -x /usr/sbin/pgbouncer ]; then
    without_service pgbouncer
fi

# Tests put a real nginx in front of the service.
if [ "${1:-all}" = all ] && ! command -v nginx >/dev/null 2>&1 && [ ! -x /usr/sbin/nginx ]; then
    without_service nginx
fi

# Rules and alerts of Prometheus are tested with its own tool. Its server is not wanted.
if [ "${1:-all}" = all ] && ! command -v promtool >/dev/null 2>&1; then
    without_service prometheus
fi
