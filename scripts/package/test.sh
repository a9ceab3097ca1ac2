#!/bin/sh
# Installs the package in a small Debian 12, runs it as its unit says, upgrades, removes and purges it, and looks at what is
# there each time. Needs root. The binary is CALLER_ID_BINARY, or one of a quick build. systemd does not run in there: its unit
# is checked by `systemd-analyze`, and what it would do is done by hand.
set -eu
cd "$(dirname "$0")/../.."

for needed in systemd-analyze setpriv shuf dpkg-deb strip; do
    command -v "$needed" >/dev/null 2>&1 || { echo "$needed is missing: apt-get install systemd util-linux coreutils dpkg binutils" >&2; exit 1; }
done
base=$(sh scripts/package/base.sh | tail -n 1)
binary=${CALLER_ID_BINARY:-}
if [ -z "$binary" ]; then
    "${CARGO:-cargo}" build --package caller-id --locked
    binary=${CARGO_TARGET_DIR:-target}/debug/caller-id
fi

work=$(mktemp -d)
root=$work/root
service=
clean() {
    [ -z "$service" ] || kill "$service" 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
cp -a "$base" "$root"

fail() { echo "FAILED: $*" >&2; exit 1; }
step() { echo "-- $*"; }
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"; }
# A file of the folder is as it should be: mode, owner and group.
is() { found=$(inside stat -c '%a %U:%G' "$1") && [ "$found" = "$2" ] || fail "$1 is $found, expected $2"; }
there() { [ -e "$root$1" ] || [ -L "$root$1" ] || fail "$1 is not there"; }
gone() { [ ! -e "$root$1" ] && [ ! -L "$root$1" ] || fail "$1 is still there"; }
port=$(shuf -i 20000-29999 -n 1)
env=/etc/caller-id/caller-id.env

# The settings of the unit, as systemd gives them; what the unit forbids is forbidden here as far as a shell can.
start() {
    settings=$(grep -v '^#' "$root$env" | grep .)
    # shellcheck disable=SC2086 # a setting a word
    chroot "$root" setpriv --reuid caller-id --regid caller-id --clear-groups --no-new-privs --bounding-set=-all \
        /usr/bin/env -i --chdir=/var/lib/caller-id $settings sh -c 'umask 0027; exec /usr/bin/caller-id serve' >"$work/log" 2>&1 &
    service=$!
    for _ in $(seq 100); do
        if ask health >/dev/null 2>&1; then return; fi
        kill -0 "$service" 2>/dev/null || break
        sleep 0.1
    done
    cat "$work/log" >&2
    fail "the service does not get well"
}
stop() {
    kill -TERM "$service"
    wait "$service" || fail "the service did not end in order: $(cat "$work/log")"
    service=
}
# A command as docs/ubuntu.md has it: by root, in the folder of the data.
ask() { inside env --chdir=/var/lib/caller-id caller-id "$@"; }

step "two packages, one newer"
strip -o "$work/caller-id" "$binary"
binary=$work/caller-id
export CALLER_ID_QUICK=yes
first=$(sh scripts/package/build.sh "$binary" "$work")
second=$(sh scripts/package/build.sh "$binary" "$work" 0.1.0-2)
cp "$first" "$second" "$root/root/"
first=/root/$(basename "$first")
second=/root/$(basename "$second")

step "install"
inside dpkg --install "$first" >"$work/dpkg.log" 2>&1 || fail "$(cat "$work/dpkg.log")"
is /usr/bin/caller-id "755 root:root"
is /etc/caller-id "750 root:caller-id"
is $env "640 root:caller-id"
is /var/lib/caller-id "750 caller-id:caller-id"
[ "$(readlink "$root/var/lib/caller-id/.env")" = $env ] || fail "commands do not find the settings"
there /etc/systemd/system/multi-user.target.wants/caller-id.service
there /usr/share/man/man1/caller-id.1.gz
there /usr/share/doc/caller-id/docs/runbook.md
there /usr/share/doc/caller-id/deploy/prometheus/caller-id.rules.yml
there /usr/share/bash-completion/completions/caller-id
account=$(inside getent passwd caller-id)
case $account in *:/var/lib/caller-id:/usr/sbin/nologin) ;; *) fail "the account is $account" ;; esac
[ "$(inside id -u caller-id)" -lt 1000 ] || fail "the account is one of a person"
inside dpkg --verify caller-id || fail "files are not those of the package"

step "the unit"
# serve ends with 2 where a setting cannot be used, and with 1 where a database is away: that is tried again, for as long as it takes.
for line in StartLimitIntervalSec=0 RestartPreventExitStatus=2 Restart=always; do
    grep -qx "$line" "$root/usr/lib/systemd/system/caller-id.service" || fail "the unit has not $line"
done
# A small Debian has no systemd: what every unit waits for is this machine's.
for target in sysinit basic shutdown network network-online multi-user; do
    cp "/usr/lib/systemd/system/$target.target" "$root/usr/lib/systemd/system/"
done
systemd-analyze verify --root="$root" --man=no /usr/lib/systemd/system/caller-id.service 2>"$work/verify.log" || true
# Of other units that a small Debian has not it may complain.
if grep caller-id "$work/verify.log"; then fail "systemd does not take the unit"; fi
systemd-analyze security --offline=true --threshold=20 --no-pager "$root/usr/lib/systemd/system/caller-id.service" \
    >"$work/security.log" 2>&1 || fail "the unit is less guarded than it was: $(tail -n 1 "$work/security.log")"
tail -n 1 "$work/security.log"

step "run: first key, first number, first call"
echo "API_PORT=$port" >>"$root$env"
echo "AGI_LISTEN=off" >>"$root$env"
start
is /var/lib/caller-id/admin-token "600 caller-id:caller-id"
is /var/lib/caller-id/caller-id.db "600 caller-id:caller-id"
ask health --live >/dev/null
ask numbers add 312-555-0100 >/dev/null
ask import --csv /usr/share/doc/caller-id/caller_ids_example.csv >/dev/null
ask keys make --role dialer dialer-1 2>/dev/null | grep -q cid_ || fail "no key is shown"
ask doctor >"$work/doctor.log" || fail "$(cat "$work/doctor.log")"
ask check-config | grep API_PORT | grep -q "$port" || fail "check-config does not see the settings"
# By a program on this machine, as a dialplan asks.
(exec 3<>/dev/null) && answer=$(inside sh -c "command -v bash >/dev/null && bash -c '
    exec 3<>/dev/tcp/127.0.0.1/$port
    printf \"GET /next-cid?to=13125550123&format=text HTTP/1.0\r\n\r\n\" >&3
    cat <&3'")
echo "$answer" | tr -d '\r' | grep -qx 3125550100 || echo "$answer" | tr -d '\r' | grep -qxE '[0-9]{10}' || fail "no number: $answer"
count() { ask numbers list --count 2>&1 >/dev/null | grep "in all" || fail "numbers are not counted"; }
numbers=$(count)

step "upgrade while settings were changed"
inside dpkg --install "$second" >"$work/dpkg.log" 2>&1 || fail "$(cat "$work/dpkg.log")"
grep -q "^API_PORT=$port" "$root$env" || fail "the settings were written over"
is $env "640 root:caller-id"
[ "$(inside dpkg-query -W -f '${Version}' caller-id)" = 0.1.0-2 ] || fail "it is not the newer one"
stop
start
[ "$(count)" = "$numbers" ] || fail "numbers are missing after the upgrade"
stop

step "remove: settings and data stay"
inside dpkg --remove caller-id >"$work/dpkg.log" 2>&1 || fail "$(cat "$work/dpkg.log")"
gone /usr/bin/caller-id
gone /usr/lib/systemd/system/caller-id.service
there $env
there /var/lib/caller-id/caller-id.db

step "install again: all is as it was"
inside dpkg --install "$second" >"$work/dpkg.log" 2>&1 || fail "$(cat "$work/dpkg.log")"
there /etc/systemd/system/multi-user.target.wants/caller-id.service
gone /etc/systemd/system/caller-id.service
start
[ "$(count)" = "$numbers" ] || fail "numbers are missing"
stop

step "disabled by an admin, it stays disabled"
inside deb-systemd-helper disable caller-id.service >/dev/null 2>&1 || rm "$root/etc/systemd/system/multi-user.target.wants/caller-id.service"
inside dpkg --install "$second" >"$work/dpkg.log" 2>&1 || fail "$(cat "$work/dpkg.log")"
gone /etc/systemd/system/multi-user.target.wants/caller-id.service

step "purge: nothing stays but the account"
inside dpkg --purge caller-id >"$work/dpkg.log" 2>&1 || fail "$(cat "$work/dpkg.log")"
left=$(cd "$root" && find . -xdev -name '*caller-id*' ! -path './root/*' ! -path './proc/*')
[ -z "$left" ] || fail "left behind: $left"
inside getent passwd caller-id >/dev/null || fail "the account is gone, and files elsewhere have no owner"

step "by hand, as docs/vicibox.md says"
inside userdel caller-id
mkdir -p "$root/root/caller-id/target/release" "$root/root/caller-id/deploy"
cp -R deploy/systemd "$root/root/caller-id/deploy/"
cp "$binary" "$root/root/caller-id/target/release/caller-id"
awk '/^## Install/ {on = 1; next} /^## / {on = 0} on && /^    [^ ]/ {print substr($0, 5)}' docs/vicibox.md | grep -v systemctl >"$root/root/by-hand.sh"
grep -q useradd "$root/root/by-hand.sh" || fail "docs/vicibox.md has no commands under Install"
inside env --chdir=/root/caller-id sh -eu /root/by-hand.sh || fail "the commands of docs/vicibox.md"
is /usr/bin/caller-id "755 root:root"
is $env "640 root:caller-id"
there /etc/systemd/system/caller-id.service
echo "API_PORT=$port" >>"$root$env"
echo "AGI_LISTEN=off" >>"$root$env"
start
ask numbers add 312-555-0100 >/dev/null
stop

echo "the package is well"
