#!/bin/sh
# Upgrades from an older build to this one, with both: one service on its data, and nodes one after the other under load. The older one
# is of the commit OLDER, made in a folder of its own under the target folder: some minutes the first time, nothing the next time. It
# is this project's newest tag where there is one, else the last commit whose tables were those of an earlier schema in both databases.
set -eu
cd "$(dirname "$0")/../.."

# PostgreSQL 4, SQLite 3: before the audit log, keys, sessions, lists and sums.
before_administration=64aa40a
older=${OLDER:-$(git describe --tags --abbrev=0 2>/dev/null || echo $before_administration)}
commit=$(git rev-parse --verify --quiet "$older^{commit}") || {
    echo "the commit $older is not here: this needs the whole history (git fetch --unshallow), or OLDER=<commit>" >&2
    exit 1
}
mkdir -p "${CARGO_TARGET_DIR:-target}"
target=$(realpath "${CARGO_TARGET_DIR:-target}")
place=$target/upgrade
binary=$place/$commit/caller-id
if [ ! -x "$binary" ]; then
    echo "building $commit, to upgrade from" >&2
    tree=$(mktemp -d)
    trap 'rm -rf "$tree"' EXIT
    git archive "$commit" | tar -x -C "$tree"
    (cd "$tree" && CARGO_TARGET_DIR="$place/target" "${CARGO:-cargo}" build --package caller-id --locked)
    mkdir -p "$place/$commit"
    cp "$place/target/debug/caller-id" "$binary"
fi
echo "from $("$binary" --version) of $commit" >&2
export CALLER_ID_OLDER_BINARY="$binary"
exec "${CARGO:-cargo}" nextest run --package caller-id --test upgrade --test cluster --locked -E 'binary(upgrade) or test(/^upgrade/)'
