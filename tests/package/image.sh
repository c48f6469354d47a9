#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The container images in build/image (or in $IMAGES): their size, what they say of themselves, and that the program runs in them with
# a read-only root, as their user and without privileges, and answers the HEALTHCHECK. No engine is needed: the layers are unpacked,
# and run in namespaces of their own.
#
#     tests/package/image.sh     as root, half a minute; `make image` makes them, and runs this
. "$(dirname "$0")/../lib.sh"
folder=${IMAGES:-build/image}
[ "$(id -u)" = 0 ] || skip_all "it mounts and changes root: run it as root"
compgen -G "$folder/nowcast_*.docker.tar" >/dev/null || skip_all "no image in $folder: make image makes it"

of() { find "$folder" -name "$1_*.$2" | sort | tail -n 1; } # NAME ENDING
config() { python3 -c 'import json, sys; c = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$T/$name/config.json" "$1"; } # EXPRESSION of c
unpack() { # NAME
	local layer
	mkdir -p "$T/$1/root" "$T/$1/archive"
	tar -xf "$(of "$1" docker.tar)" -C "$T/$1/archive"
	cp "$T/$1/archive/$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[0]["Config"])' "$T/$1/archive/manifest.json")" "$T/$1/config.json"
	python3 -c 'import json, sys; print(*json.load(open(sys.argv[1]))[0]["Layers"], sep="\n")' "$T/$1/archive/manifest.json" |
		while read -r layer; do tar -xf "$T/$1/archive/$layer" -C "$T/$1/root"; done
	python3 -c 'import json, sys; print(*json.load(open(sys.argv[1]))[0]["RepoTags"])' "$T/$1/archive/manifest.json" >"$T/$1/tags"
	rm -rf "$T/$1/archive"
}

# In namespaces of its own, with a Redis on loopback: as an engine would run it, with a read-only root and a folder in memory.
cat >"$T/inside" <<'END'
set -eu
root=$1
ip link set lo up 2>/dev/null || true
redis-server --port 6379 --save '' --dir /tmp --daemonize yes >/dev/null
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
clean=(env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/var/lib/nowcast XDG_CACHE_HOME=/var/cache NOWCAST_LISTEN=127.0.0.1:8321)
user=(chroot "$root" "${clean[@]}" setpriv --reuid 65532 --regid 65532 --clear-groups --no-new-privs --bounding-set=-all)
echo "version $("${user[@]}" nowcast --version | sed 1q)"
"${user[@]}" touch /var/lib/nowcast/x 2>/dev/null && echo "written yes" || echo "written no"
for how in serve run; do
	"${user[@]}" nowcast $how --redis redis://127.0.0.1:6379 --brokers 127.0.0.1:1 --topics x --kafka.log_level 0 >"$root/../$how.log" 2>&1 &
	status=1
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "${user[@]}" curl -fsS -o /dev/null http://127.0.0.1:8321/healthz 2>/dev/null && { status=0; break; }; sleep 0.5; done
	echo "healthy-$how $status"
	status=0
	kill $! ; wait $! || status=$?
	echo "ended-$how $status"
done
"${user[@]}" nowcast reconcile --redis redis://127.0.0.1:6379 /nonexistent >"$root/../reconcile.log" 2>&1 || true
END
said() { sed -n "s/^$1 //p" "$T/$name/out"; } # WORD
for name in nowcast nowcast-bills; do
	[ -n "$(of $name docker.tar)" ] || { echo "# no $name"; continue; }
	unpack $name
	size=$(($(find "$T/$name/root" -type f -printf '%s\n' | awk '{ s += $1 } END { print s }') / 1000000))
	echo "# $name: $size MB unpacked, $(($(stat -c %s "$(of $name oci.tar)") / 1000000)) MB as an OCI archive"
	[ $name = nowcast-bills ] || ok "$name is smaller than 120 MB" test "$size" -lt 120
	is "$name: docker load names it as docs/install.md says" "$(sed 's|^docker.io/library/||' "$T/$name/tags")" "$(basename "$(of $name docker.tar)" .docker.tar | sed 's/_/:/')"
	is "$name: another user" "$(config 'c["config"]["User"]')" 65532:65532
	has "$name: a HEALTHCHECK" "$(config 'c["config"]["Healthcheck"]["Test"]')" 8321/healthz
	is "$name: what it starts" "$(config 'c["config"]["Entrypoint"] + c["config"]["Cmd"]')" "['/usr/bin/nowcast', 'run']"
	has "$name: the OCI archive has a manifest" "$(tar -xOf "$(of $name oci.tar)" index.json)" 'vnd.oci.image.manifest'
	is "$name: its parts are listed" "$(python3 -c '
import json, sys
names = {p["name"] for p in json.load(open(sys.argv[1]))["components"]}
print(*sorted(names & {"nowcast", "librdkafka1", "libc6", "uplot", "duckdb"}))' "$(of $name cdx.json)")" "$([ $name = nowcast ] || echo 'duckdb ')libc6 librdkafka1 nowcast uplot"
	unshare --mount --net --pid --fork --mount-proc bash "$T/inside" "$T/$name/root" >"$T/$name/out" 2>"$T/$name/err" || sed 's/^/# /' "$T/$name/err"
	is "$name: the program runs" "$(said version)" "nowcast $(cat VERSION)"
	is "$name: the root is read-only" "$(said written)" no
	is "$name: the dashboard is healthy" "$(said healthy-serve)" 0 || sed 's/^/# /' "$T/$name/serve.log"
	is "$name: and the daemon, while Kafka is away" "$(said healthy-run)" 0 || sed 's/^/# /' "$T/$name/run.log"
	is "$name: both end in peace" "$(said ended-serve) $(said ended-run)" "0 0"
	if [ $name = nowcast ]; then want=libduckdb; else want='nonexistent'; fi
	has "$name: DuckDB is in one of them" "$(cat "$T/$name/reconcile.log")" "$want"
done
finish
