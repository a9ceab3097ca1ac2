#!/bin/sh
# Tests the printed dialplans on a real Asterisk. `where-possible`: where that cannot be, says so loudly, and that is all.
set -eu
cd "$(dirname "$0")/../.."

status=0
sh scripts/asterisk/install.sh >/dev/null || status=$?
if [ "$status" = 77 ] && [ "${1:-}" = where-possible ]; then
    {
        echo
        echo "*** NOT TESTED: the dialplans, on a real Asterisk. Why is said above."
        echo "*** Run \`make test-asterisk\` as root on a Debian or Ubuntu that reaches its package archive."
        echo
    } >&2
    exit 0
fi
[ "$status" = 0 ] || exit "$status"
exec "${CARGO:-cargo}" nextest run --profile asterisk --package caller-id --test asterisk --locked
