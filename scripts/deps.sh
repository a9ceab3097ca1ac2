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
