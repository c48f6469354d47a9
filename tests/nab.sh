#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# `make nab`: the detector's scores on the labelled public series in $SHARED/nab (default ../shared), by that folder's score.py.
set -eu
cd "$(dirname "$0")/.."
nab=${SHARED:-../shared}/nab
[ -d "$nab" ] || { echo "nab: $nab is not there; SHARED=DIR says where the labelled series are"; exit 1; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for f in "$nab"/data/*/*.csv; do
	to=$out/${f#"$nab"/data/}
	mkdir -p "${to%/*}"
	"${B:-build}/nowcast" detect <"$f" >"$to"
done
for profile in standard low_fp low_fn; do
	python3 "$nab/score.py" --windows "$nab/windows.json" --scores "$out" --profile $profile
done
