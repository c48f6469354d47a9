#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A price list of the size AWS's grow to, in AWS's shape: every rate is taken as it stands, what is in doubt is left out with its
# reason, and neither memory nor time grows faster than the list.
. "$(dirname "$0")/../lib.sh"

export NOWCAST_PRICES_DIR=$T/prices
said() { sed -n "s/^.*products, .*/&/p" "$T/err" | tail -n 1; }
# Runs a command; sets cpu (ms) and memory (MB) it took.
measure() {
	read -r status cpu memory < <(python3 - "$T/out" "$T/err" "$@" <<'END'
import resource, subprocess, sys
with open(sys.argv[1], "w") as out, open(sys.argv[2], "w") as err:
    status = subprocess.run(sys.argv[3:], stdout=out, stderr=err).returncode
r = resource.getrusage(resource.RUSAGE_CHILDREN)
print(status, int((r.ru_utime + r.ru_stime) * 1000), r.ru_maxrss // 1024)
END
	)
}

read -r products taken other doubt < <(python3 tests/support/pricelist.py "$T/AmazonBedrock.json" "$T/expected.csv")
mb=$(($(wc -c <"$T/AmazonBedrock.json") >> 20))
ok "the list is of tens of megabytes ($mb MB, $products products)" test "$mb" -ge 25
measure "$nowcast" price import pricelist "$T/AmazonBedrock.json"
is "it is taken" "$status" 0
is "with every product accounted for" "$(said | sed 's/^[^:]*: //')" "$products products, $taken rates imported, $other of other kinds (reserved, custom models, images, ...), $doubt unclear"
is "what is in doubt has its reason" "$(grep -c ' of "Amazon Bedrock": ' "$T/err")" "$doubt"
is "rates nobody had are not all listed" "$(wc -l <"$T/out" | awk '{ print ($1 < 100) }')" 1
python3 - "$T/prices/pricelist-AmazonBedrock.csv" >"$T/got.csv" <<'END'
import csv, sys
w = csv.writer(sys.stdout)
rows = [[r["model"], r["scope"], r["region"], r["tier"] or "standard", t, r[t]] for r in csv.DictReader(open(sys.argv[1]))
        for t in ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h") if r[t]]
w.writerows(sorted(rows))
END
same_file "every rate is the list's" "$T/got.csv" "$T/expected.csv"
diag "import: $cpu ms of processor, $memory MB"
ok "memory stays within 12 times the list" test "$memory" -le $((12 * mb))
ok "and time within half a second a megabyte" test "$cpu" -le $((500 * mb))
one=$cpu
model=vendor0.model-0-a
has "a rate is found" "$("$nowcast" price show $model --region eu-west-3 --tier flex --time 2026-11-02)" 'input +1\.104 +pricelist'
measure "$nowcast" price show $model
ok "among so many, in a second ($cpu ms)" test "$cpu" -le 1000
measure "$nowcast" price import pricelist "$T/AmazonBedrock.json"
has "again: all the same" "$(cat "$T/out")" '^rates: 0 differ, 0 new'

python3 tests/support/pricelist.py "$T/AmazonBedrock.json" "$T/expected.csv" --models 140 >"$T/counts"
measure "$nowcast" price import pricelist "$T/AmazonBedrock.json"
is "one of twice the size" "$status" 0
ok "takes twice as long, not four times ($one ms, $cpu ms)" test "$cpu" -le $((3 * one))
head -c 20000000 "$T/AmazonBedrock.json" >"$T/cut.json"
fails 2 "one that was cut off is refused" "$nowcast" price import pricelist "$T/cut.json"
has "with the line" "$(cat "$T/err")" 'line [0-9]+: not JSON'
finish
