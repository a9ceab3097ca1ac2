#!/bin/sh
# Makes the package for Debian and Ubuntu of a binary that is built: build.sh BINARY FOLDER [VERSION]. Prints where it is.
# dpkg-deb does it, which every Debian has: docs/adr/0019-packages.md says why not cargo-deb.
set -eu
[ $# -ge 2 ] || { echo "usage: $0 BINARY FOLDER [VERSION]" >&2; exit 2; }
binary=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
cd "$(dirname "$0")/../.."

for needed in dpkg-deb objdump gzip; do
    command -v "$needed" >/dev/null 2>&1 ||
        { echo "$needed is missing: apt-get install dpkg binutils gzip" >&2; exit 1; }
done
version=${3:-$("$binary" --version | cut -d' ' -f2)-1}
architecture=$(dpkg --print-architecture)
# The newest symbol of the C library that the binary asks for says which it needs.
glibc=$(objdump -T "$binary" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1 | cut -d_ -f2)

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
umask 022
chmod 755 "$tree"
put() { install -D -m "$1" "$2" "$tree/$3"; }
put 755 "$binary" usr/bin/caller-id
put 644 deploy/systemd/caller-id.service usr/lib/systemd/system/caller-id.service
for unit in caller-id-backup.service caller-id-backup.timer; do
    put 644 "deploy/systemd/$unit" "usr/lib/systemd/system/$unit"
done
put 640 deploy/systemd/caller-id.env etc/caller-id/caller-id.env
put 644 data/caller_ids_example.csv usr/share/doc/caller-id/caller_ids_example.csv
# As they lie here, so that what they link to is there.
for page in $(find README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md docs deploy/grafana deploy/nginx deploy/prometheus -type f); do
    put 644 "$page" "usr/share/doc/caller-id/$page"
done
put 644 CHANGELOG.md usr/share/doc/caller-id/changelog
gzip -9n "$tree/usr/share/doc/caller-id/changelog"
cat LICENSE-MIT LICENSE-APACHE >"$tree/usr/share/doc/caller-id/copyright"
mkdir -p "$tree/usr/share/man/man1" "$tree/usr/share/bash-completion/completions"
"$binary" man --dir "$tree/usr/share/man/man1"
gzip -9n "$tree"/usr/share/man/man1/*
"$binary" completions bash >"$tree/usr/share/bash-completion/completions/caller-id"

mkdir "$tree/DEBIAN"
size=$(du -sk --exclude=DEBIAN "$tree" | cut -f1)
sed -e "s/@VERSION@/$version/" -e "s/@ARCHITECTURE@/$architecture/" -e "s/@SIZE@/$size/" -e "s/@GLIBC@/$glibc/" \
    deploy/debian/control.in >"$tree/DEBIAN/control"
echo /etc/caller-id/caller-id.env >"$tree/DEBIAN/conffiles"
for script in postinst prerm postrm; do
    install -m 755 "deploy/debian/$script" "$tree/DEBIAN/$script"
done
(cd "$tree" && find . -type f ! -path './DEBIAN/*' -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' md5sum >DEBIAN/md5sums)
package=$out/caller-id_${version}_$architecture.deb
# A test does not wait for the smallest file.
dpkg-deb --root-owner-group ${CALLER_ID_QUICK:+-Zgzip -z1} --build "$tree" "$package" >/dev/null
echo "$package"
