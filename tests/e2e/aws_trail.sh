#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The files of a trail straight from S3 (S3Proxy, which checks signatures): the figures are those of the same files in a folder, with
# a damaged one among them; a span of time takes the files of it; nothing is left behind.
. "$(dirname "$0")/../lib.sh"

require "no S3Proxy: run deploy/install-deps --test" s3_libs
make_world --hours 2 --scale 0.05
start_redis
start_s3
mkdir "$T/tmp" "$T/trail"
export TMPDIR=$T/tmp

# A file each five minutes, named after its delivery, as CloudTrail does.
python3 - "$world/stream.ndjson" "$T/trail" <<'END'
import collections, gzip, json, os, sys, time
files = collections.defaultdict(list)
for line in open(sys.argv[1]):
    row = json.loads(line)
    payload = json.loads(row["payload"])
    if row["topic"] == "cloudtrail":
        for r in payload["Records"] if "Records" in payload else [payload.get("detail", payload)]:
            files[r["recipientAccountId"], r["awsRegion"], row["ts"] // 300000 * 300000 + 300000].append(r)
for (account, region, ms), records in files.items():
    at = time.gmtime(ms / 1000)
    folder = f"{sys.argv[2]}/AWSLogs/{account}/CloudTrail/{region}/{time.strftime('%Y/%m/%d', at)}"
    os.makedirs(folder, exist_ok=True)
    with gzip.GzipFile(f"{folder}/{account}_CloudTrail_{region}_{time.strftime('%Y%m%dT%H%MZ', at)}_a1B2.json.gz", "wb", mtime=0) as f:
        f.write(json.dumps({"Records": records}).encode())
END
digest=$T/trail/AWSLogs/111122223333/CloudTrail-Digest
mkdir -p "$digest"
echo '{"awsAccountId":"111122223333","digestStartTime":"2026-11-02T00:00:00Z","logFiles":[]}' | gzip >"$digest/d.json.gz"
cut=$(find "$T/trail" -name '*us-east-1_20261102T0100Z*' | head -n 1)
truncate -s 500 "$cut"
echo 'no record at all, {"Records":' >"$T/trail/AWSLogs/poison.json"
s3_curl -X PUT "$s3_url/audit" && s3_put "$T/trail" audit/org
result $? "a trail of $(find "$T/trail" -type f | wc -l) files is put there"

unset AWS_PROFILE AWS_SESSION_TOKEN AWS_REGION AWS_DEFAULT_REGION
export HOME=$T AWS_EC2_METADATA_DISABLED=true AWS_ENDPOINT_URL_S3=$s3_url AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=topsecret
replay() { "$nowcast" replay --redis "$REDIS_URL" --redis.prefix "$1" "${@:2}"; }
report() { "$nowcast" report --redis "$REDIS_URL" --redis.prefix "$1" --by "$all_keys" --format csv; }

replay folder "$T/trail" >"$T/folder.out" 2>"$T/folder.err"
fails 0 "the trail is read from S3" replay bucket s3://audit/org
report folder >"$T/want.csv"
report bucket >"$T/got.csv"
same_file "with the figures of the same files in a folder" "$T/got.csv" "$T/want.csv"
is "as many messages, records and faults" "$(grep -v seconds "$T/out" | grep -v records_per)" "$(grep -v seconds "$T/folder.out" | grep -v records_per)"
has "what is damaged is named by its object" "$(cat "$T/err")" 's3://audit/org/AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/02/111122223333_CloudTrail_us-east-1_20261102T0100Z'
is "nothing is left behind" "$(find "$TMPDIR" -mindepth 1)" ""
fails 0 "again" replay bucket s3://audit/org/
report bucket >"$T/got.csv"
same_file "it changes nothing" "$T/got.csv" "$T/want.csv"

fails 0 "a span" replay span --from 2026-11-02T01:30:00Z --to 2026-11-02T01:40:00Z s3://audit/org/AWSLogs/111122223333/CloudTrail/
is "takes the files whose names are of it, and of the hour after it" "$(awk '$1 == "files" { print $2 }' "$T/out")" \
	"$(find "$T/trail/AWSLogs/111122223333/CloudTrail" -name '*_20261102T01[345]*' -o -name '*_20261102T02[0123]*' -o -name '*_20261102T0240*' | wc -l)"
files_taken() { awk '$1 == "files" { print $2 }' "$T/out"; }
fails 0 "from an hour on" replay span2 --from 2026-11-02T02:00:00Z s3://audit/org/AWSLogs/111122223333/CloudTrail/
taken=$(files_taken)
fails 0 "the same in words" replay span3 --since 3h --now 2026-11-02T04:30:00Z s3://audit/org/AWSLogs/111122223333/CloudTrail/
is "takes the same files" "$(files_taken)" "$taken"
has "which are not all" "$taken $(find "$T/trail/AWSLogs/111122223333/CloudTrail" -type f | wc -l)" "^([0-9]|[1-4][0-9]) 5[0-9]$"
fails 2 "two spans" replay span2 --since 7d --from 2026-11-02 s3://audit/org/
has "are one too many" "$(cat "$T/err")" "a span is given once"
fails 1 "a prefix with nothing below it" replay none s3://audit/nothing
has "is no success" "$(cat "$T/err")" 'no record was recognised in 0 messages of 0 files'
fails 2 "a bucket that is not there" replay none s3://nowhere/x
has "is named" "$(cat "$T/err")" 's3://nowhere: there is no such bucket'
AWS_SECRET_ACCESS_KEY=wrong fails 2 "a wrong secret" replay none s3://audit/org
has "is refused, and the permissions named" "$(cat "$T/err")" 'SignatureDoesNotMatch.*s3:ListBucket and s3:GetObject are needed'
is "nothing is left behind after failures" "$(find "$TMPDIR" -mindepth 1)" ""
finish
