#!/bin/sh
# The path itself, in a network of its own: path.sh WORK ASTERISK RIG. WORK has the binary, and the folder `root` of a small Debian.
set -eu
work=$1 asterisk=$2 rig=$3
root=$work/root
ip link set lo up

fail() { echo "FAILED: $*" >&2; exit 1; }
step() { echo "-- $*"; }
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"; }
# The lines under a heading; a heading that is gone fails the run.
blocks() {
    found=$(awk -v heading="$2" -f scripts/newcomer/blocks.awk "$1")
    [ -n "$found" ] || fail "$1 has no lines to type under '$2'"
    printf '%s\n' "$found"
}
until_so() {
    for _ in $(seq 300); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    fail "in vain: $*"
}

step "README.md, Try it"
blocks README.md 'Try it' >"$work/try"
grep -qx 'make run' "$work/try" || fail "README.md does not say: make run"
curl_line=$(grep '^curl ' "$work/try" | head -n 1)
[ -n "$curl_line" ] || fail "README.md has no line to paste that asks for a number"
# The binary is there: it is not built again.
mkdir -p "$work/target/release"
cp "$work/caller-id" "$work/target/release/caller-id"
env CARGO_TARGET_DIR="$work/target" make run CARGO=true RUN_DIR="$work/run" >"$work/run.log" 2>&1 &
run=$!
until_so curl -sf http://127.0.0.1:8000/ready
answer=$(sh -c "curl() { command curl -sS \"\$@\"; }; $curl_line") || fail "$curl_line: $answer"
number=$(printf '%s' "$answer" | grep -o '"caller_id": *"[0-9]*"' | grep -o '[0-9]*') || fail "$curl_line: $answer"
grep -q "$number" data/caller_ids_example.csv || fail "$number is none of the example numbers"
# The commands in another terminal, on the folders that are used here.
sed -n '/^export /p; /^target\/release\//p' "$work/try" |
    sed -e "s|\.run/|$work/run/|" -e "s|^target/release/|$work/target/release/|" >"$work/terminal"
sh -eux "$work/terminal" >"$work/terminal.log" 2>&1 || { cat "$work/terminal.log" >&2; fail "README.md, in another terminal"; }
grep -qi token "$work/run.log" || fail "make run shows no token: $(cat "$work/run.log")"
echo "   $number"
# Of make, the shell and the service the service alone listens.
kill -INT "$(pgrep -x caller-id)"
wait "$run" || true

step "the small Debian has no systemd and no sudo: what stands in for them"
# sudo: the newcomer is root. systemctl: does what the installed unit says; what a package would have begun, `status` begins.
cat >"$root/usr/local/bin/sudo" <<'EOF'
#!/bin/sh
[ "$1" = -i ] || exec "$@"
EOF
cat >"$root/usr/local/bin/systemctl" <<'EOF'
#!/bin/sh
set -eu
[ "$2" = caller-id ] || { echo "systemctl $*: of another unit" >&2; exit 1; }
unit() { sed -n "s/^$1=//p" /usr/lib/systemd/system/caller-id.service; }
ends() { [ ! -e /run/caller-id.pid ] || kill "$(cat /run/caller-id.pid)" 2>/dev/null || true; rm -f /run/caller-id.pid; sleep 1; }
runs() { [ -e /run/caller-id.pid ] && kill -0 "$(cat /run/caller-id.pid)" 2>/dev/null; }
begins() {
    settings=$(grep -v '^#' "$(unit EnvironmentFile)" | grep . || true)
    # shellcheck disable=SC2046,SC2086 # a setting a word
    setpriv --reuid "$(unit User)" --regid "$(unit Group)" --clear-groups --no-new-privs --bounding-set=-all \
        env -i --chdir="$(unit WorkingDirectory)" $settings sh -c "umask $(unit UMask); exec $(unit ExecStart)" \
        >>/var/log/caller-id.log 2>&1 </dev/null &
    echo $! >/run/caller-id.pid
    for _ in $(seq 300); do
        ! (cd "$(unit WorkingDirectory)" && caller-id health) >/dev/null 2>&1 || return 0
        runs || break
        sleep 0.1
    done
    cat /var/log/caller-id.log >&2
    exit 1
}
case $1 in
    status) runs || begins ;;
    restart) ends; begins ;;
    stop) ends ;;
    *) echo "systemctl $*: not known here" >&2; exit 1 ;;
esac
EOF
chmod 755 "$root/usr/local/bin/sudo" "$root/usr/local/bin/systemctl"

step "docs/ubuntu.md, Install; First key, first number, first call"
blocks docs/ubuntu.md Install >"$work/install"
grep -qx 'make package' "$work/install" || fail "docs/ubuntu.md does not say: make package"
package=$(CALLER_ID_QUICK=yes sh scripts/package/build.sh "$work/caller-id" "$work")
cp "$package" "$root/root/"
# The file of a newcomer: two pools, and numbers of two area codes in the one that calls go out on.
cat >"$root/root/numbers.csv" <<'EOF'
caller_id,pool
312-555-0141,sales
312-555-0142,sales
312-555-0143,sales
212-555-0144,sales
415-555-0145,others
EOF
{
    echo 'set -eu'
    # Made above, of the binary that is there. This machine may be another one than the documents'.
    grep -vx 'make package' "$work/install" | sed "s/_amd64\.deb/_$(dpkg --print-architecture).deb/"
    blocks docs/ubuntu.md 'First key, first number, first call'
    echo 'mv /root/numbers.csv .'
    # What a person would paste goes into a file; the Asterisk here is 16.
    blocks docs/asterisk.md '' |
        sed -e 's/--asterisk [0-9]*/--asterisk 16/' -e '/^caller-id dialplan /s|$| >/root/lines|'
    blocks docs/ubuntu.md 'The line in the dialplan' | grep '^caller-id dialplan ' | sed 's|$| >/root/vicidial-lines|'
} >"$root/root/path.sh"
inside env --chdir=/root sh -x path.sh >"$work/path.log" 2>&1 || { cat "$work/path.log" >&2; fail "the lines of the documents"; }
grep -vE '^(set|mv) ' "$root/root/path.sh" | sed 's/^/   /'
grep -q 'agi://.*next-cid' "$root/root/lines" || fail "no lines for the dialplan: $(cat "$root/root/lines")"
grep -q 'agi://.*next-cid' "$root/root/vicidial-lines" || fail "no lines for VICIdial"

step "docs/asterisk.md: the lines in a real Asterisk, with a carrier behind it"
sip=5070 pjsip=5060 gateway=5090 manager=5038
for folder in etc lib log run spool; do mkdir "$rig/$folder"; done
inner=/var/tmp/$(basename "$rig")
for template in scripts/asterisk/etc/*; do
    sed -e "s|@RIG@|$inner|g" -e "s/@SIP@/$sip/" -e "s/@PJSIP@/$pjsip/" -e "s/@GATEWAY@/$gateway/" -e "s/@MANAGER@/$manager/" \
        "$template" >"$rig/etc/$(basename "$template")"
done
# The newcomer's own Asterisk: a carrier, and a context that calls go out through.
cat >>"$rig/etc/pjsip.conf" <<'EOF'
[mycarrier]
type=aor
contact=sip:127.0.0.1:5090
[mycarrier](trunk)
send_pai=yes
aors=mycarrier
EOF
echo 'load => res_clioriginate.so' >>"$rig/etc/modules.conf"
{ echo '[outgoing]'; cat "$root/root/lines"; } >"$rig/etc/outgoing.conf"
: >"$rig/etc/carriers.conf"
chmod 644 "$rig"/etc/*
sipp -sf scripts/asterisk/gateway.xml -i 127.0.0.1 -p $gateway -mp 17000 -nostdin -trace_logs -log_overwrite false \
    -log_file "$work/gateway.log" >"$work/gateway.out" 2>&1 </dev/null &
chroot "$asterisk" /usr/sbin/asterisk -f -C "$inner/etc/asterisk.conf" >"$work/asterisk.out" 2>&1 </dev/null &
console() { chroot "$asterisk" /usr/sbin/asterisk -C "$inner/etc/asterisk.conf" -rx "$1"; }
until_so console 'core waitfullybooted'
# Pasted while it runs, as the document says.
echo '#include outgoing.conf' >>"$rig/etc/extensions.conf"
reload=$(grep -o "asterisk -rx '[^']*reload'" docs/asterisk.md | head -n 1 | cut -d"'" -f2)
[ -n "$reload" ] || fail "docs/asterisk.md does not say how the dialplan is read again"
console "$reload" >/dev/null
console 'dialplan show outgoing' | grep -q next-cid || fail "the lines are not in the dialplan"
if grep -E ' (WARNING|ERROR)\[' "$rig/log/full" | grep -i 'outgoing.conf\|pbx_config'; then fail "Asterisk complains of the lines"; fi

for destination in 13125552001 12125552002 13125552003; do
    console "channel originate Local/9$destination@outgoing extension 8368@default" >"$work/placed"
    ! grep -q 'No such command' "$work/placed" || fail "this Asterisk places no calls: $(cat "$work/placed")"
    for _ in $(seq 100); do
        ! grep -q "^INVITE|$destination|" "$work/gateway.log" 2>/dev/null || continue 2
        sleep 0.1
    done
    grep -v 'loader.c\|Registered' "$rig/log/full" >&2
    fail "no call to $destination reached the carrier"
done
shown=$(sed -n 's/^INVITE|[0-9]*|[^|]*sip:\([^@]*\)@.*/\1/p' "$work/gateway.log")
for number in $shown; do
    case $number in
        3125550141 | 3125550142 | 3125550143 | 2125550144) ;;
        *) cat "$rig/log/full" >&2; fail "the carrier was shown $number, none of the campaign's numbers" ;;
    esac
done
[ "$(printf '%s\n' "$shown" | sort -u | wc -l)" = 3 ] || fail "not three rotated numbers: $shown"
[ "$(printf '%s\n' "$shown" | sed -n 2p)" = 2125550144 ] || fail "a call to 212 was not shown the number that is local to it: $shown"
printf '   %s\n' $shown
echo "a newcomer gets from the README to a call with a rotated number"
