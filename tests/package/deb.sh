#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Debian package: lintian has no complaint, two builds give the same bytes whatever surrounds them, and in a fresh root of
# each Debian the package installs, runs under a user of its own, and leaves nothing behind when it is purged.
#
#     tests/package/deb.sh [SUITE...]     bookworm trixie; as root, some ten minutes. `make deb-test` runs it
#
# DEBS=FOLDER tests the packages in there, and builds none.
#
# systemd does not run in such a root: the unit is verified by systemd-analyze, and what it starts is started here without any
# privilege, in the folders that it names. tests/package/systemd.sh boots one.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || skip_all "it makes roots of Debian: run it as root"
for tool in mmdebstrap lintian dh; do
	command -v "$tool" >/dev/null || skip_all "$tool is not installed: apt-get install mmdebstrap lintian debhelper fakeroot distro-info-data"
done
suites=("$@")
[ $# -gt 0 ] || suites=(bookworm trixie)
export DEB_BUILD_OPTIONS=${DEB_BUILD_OPTIONS:-nocheck}

# shellcheck source=/dev/null
here=$(. /etc/os-release && echo "$VERSION_CODENAME")
commit=$(base/make-version.sh --commit | cut -d' ' -f1)
package() { # FOLDER SUITE
	find "$1" -name "nowcast_*~deb$(awk -F, -v s="$2" '$3 == s { print $1 }' /usr/share/distro-info/debian.csv)_*.deb"
}

# --- two builds, in different surroundings
build_twice() {
	local deb
	export DEBFULLNAME='A & B/C' DEBEMAIL=deb@nowcast.invalid
	ok "the package builds" deploy/make-deb --output "$T/one"
	mkdir "$T/elsewhere-with-a-longer-name"
	ok "and again, elsewhere and at another time" env TMPDIR="$T/elsewhere-with-a-longer-name" TZ=Pacific/Auckland USER=somebody CC=false CFLAGS=-O0 DEVELOPER=1 \
		sh -c 'umask 077; deploy/make-deb --output "$0"' "$T/two"
	for deb in "$T"/one/*.deb; do
		same_file "the same bytes: $(basename "$deb")" "$deb" "$T/two/$(basename "$deb")"
	done
	is "it names who answers for it" "$(dpkg-deb -f "$(package "$T/one" "$here")" Maintainer)" "$DEBFULLNAME <$DEBEMAIL>"
}
one=${DEBS:-$T/one}
if [ -n "${DEBS:-}" ]; then
	commit=
else
	build_twice
fi
is "lintian has no complaint" "$(lintian --profile debian --fail-on none "$(package "$one" "$here")" 2>&1 | grep -E '^[EW]: ')" ""
has "it is named by the version" "$(basename "$(package "$one" "$here")")" "^nowcast_$(cat VERSION)"

# --- in a fresh root
cat >"$T/inside" <<'END'
set -eu
deb=$(echo /srv/nowcast_*.deb)
list() { find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /run -o -path /srv -o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/cache -o -path /var/log \) -prune -o -print | sort; }
export DEBIAN_FRONTEND=noninteractive
# What it needs, before: else the lists differ by that.
apt-get -qq update
apt-get -qq -y install --no-install-recommends redis-server systemd setpriv procps >/dev/null 2>&1 || apt-get -qq -y install --no-install-recommends redis-server systemd util-linux procps >/dev/null
apt-get -qq -y install --no-install-recommends "$deb" >/dev/null
dpkg --purge nowcast >/dev/null
list >/srv/before
apt-get -qq -y install --no-install-recommends "$deb" >/dev/null
echo "said $(nowcast --version | paste -sd' ')"
echo "enabled $(find /etc/systemd -name nowcast.service | wc -l)"
echo "owned $(find /etc/nowcast /usr/bin/nowcast ! -user root | wc -l)"
systemd-analyze verify --man=no /lib/systemd/system/nowcast.service 2>&1 | grep nowcast | sed 's/^/verified /' || true
for page in man1/nowcast.1.gz man5/nowcast.conf.5.gz; do [ ! -e /usr/share/man/$page ] || echo "page $page"; done
for file in bash-completion/completions/nowcast zsh/site-functions/_nowcast fish/vendor_completions.d/nowcast.fish; do [ ! -e /usr/share/$file ] || echo "completion $file"; done

# As the unit says, but without systemd.
redis-server --port 7391 --save '' --daemonize yes >/dev/null
mkdir -p /var/lib/nowcast /var/cache/nowcast
chown 61234:61234 /var/lib/nowcast /var/cache/nowcast
cat >>/etc/nowcast/nowcast.conf <<C
redis = redis://127.0.0.1:7391
brokers = 127.0.0.1:1
topics = cloudtrail
listen = 127.0.0.1:8321
dead_letter.file = /var/lib/nowcast/dead.ndjson
C
start=$(sed -n 's/^ExecStart=//p' /lib/systemd/system/nowcast.service)
cd /var/lib/nowcast
setpriv --reuid 61234 --regid 61234 --clear-groups --no-new-privs --bounding-set=-all $start >/srv/log 2>&1 &
pid=$!
i=0; until redis-cli -p 7391 exists nowcast:schema | grep -q 1 || [ $i = 100 ]; do i=$((i + 1)); sleep 0.1; done
echo "user $(ps -o uid= -p $pid | tr -d ' ')"
echo "schema $(redis-cli -p 7391 get nowcast:schema)"
kill $pid; status=0; wait $pid || status=$?
echo "ended $status"
redis-cli -p 7391 shutdown nosave || true
touch /etc/nowcast/secrets.conf
dpkg --remove nowcast >/dev/null
echo "kept $(grep -c 'brokers = 127' /etc/nowcast/nowcast.conf)"
dpkg --purge nowcast >/dev/null
list >/srv/after
echo "left $(diff /srv/before /srv/after | grep -c '^[<>]')"
diff /srv/before /srv/after >&2 || true
for folder in /var/lib/nowcast /var/cache/nowcast; do [ ! -e $folder ] || echo "left-folder $folder"; done
END
said() { sed -n "s/^$1 //p" "$T/$suite.out" | xargs; } # WORD
for suite in "${suites[@]}"; do
	folder=$one
	if [ "$suite" != "$here" ] && [ -z "${DEBS:-}" ]; then
		folder=$T/$suite
		ok "$suite: the package builds there" deploy/make-deb --suite "$suite" --output "$folder"
	fi
	deb=$(package "$folder" "$suite")
	ok "$suite: a fresh root" mmdebstrap --quiet --variant=minbase --customize-hook="copy-in $T/inside /srv" --customize-hook="copy-in $deb /srv" \
		--customize-hook="chroot \"\$1\" bash /srv/inside >$T/$suite.out 2>$T/$suite.err" "$suite" /dev/null || sed 's/^/# /' "$T/$suite.err"
	has "$suite: it runs and knows its version" "$(said said)" "^nowcast $(cat VERSION) commit $commit"
	is "$suite: it is not started before it is configured" "$(said enabled)" 0
	is "$suite: all of it is root's" "$(said owned)" 0
	is "$suite: systemd has no complaint about the unit" "$(said verified)" ""
	is "$suite: both manual pages" "$(said page)" "man1/nowcast.1.gz man5/nowcast.conf.5.gz"
	is "$suite: completion for three shells" "$(said completion | wc -w)" 3
	is "$suite: the daemon runs as another user" "$(said user)" 61234
	is "$suite: and reaches Redis" "$(said schema)" 3
	is "$suite: it ends in peace" "$(said ended)" 0
	is "$suite: its configuration outlives its removal" "$(said kept)" 1
	is "$suite: nothing outlives purging" "$(said left)$(said left-folder)" 0 || sed 's/^/# /' "$T/$suite.err"
done
finish
