#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Prints the C header with the version of this source tree, for nowcast.c; `make` runs it.
#
#     base/make-version.sh             the header
#     base/make-version.sh --commit    "COMMIT SECONDS": what it is made of
#
# Commit and time come from NOWCAST_COMMIT ("COMMIT SECONDS", for builds of packages), else from git, else from the line
# below, which `git archive` fills in (.gitattributes: export-subst). SOURCE_DATE_EPOCH beats the commit's time. Nothing of
# it depends on when or where it is built: the same sources give the same bytes.
set -eu
cd "$(dirname "$0")/.."
archived='$Format:%H %ct$'

find_commit() {
	if [ -n "${NOWCAST_COMMIT:-}" ]; then
		echo "$NOWCAST_COMMIT"
	elif [ -e .git ] && command -v git >/dev/null && git log -1 --format='%H %ct' >/dev/null 2>&1; then
		modified=$(git status --porcelain --untracked-files=no | head -n 1)
		git log -1 --format='%H %ct' | sed -E "s/^(.{12})[^ ]*/\1${modified:+-modified}/"
	else
		case $archived in
		*Format*) echo "unknown 0" ;;
		*) echo "$archived" | sed -E 's/^(.{12})[^ ]*/\1/' ;;
		esac
	fi
}

found=$(find_commit)
commit=${found% *} seconds=${SOURCE_DATE_EPOCH:-${found#* }}
if [ "${1:-}" = --commit ]; then
	echo "$commit $seconds"
	exit
fi
date=unknown
[ "$seconds" = 0 ] || date=$(date -u -d "@$seconds" +%Y-%m-%d)
cat <<END
#define VERSION_NUMBER "$(cat VERSION)"
#define VERSION_COMMIT "$commit"
#define VERSION_DATE "$date"
END
