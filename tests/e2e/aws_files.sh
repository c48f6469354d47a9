#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Invocation logs that go to S3, and a trail without a queue: `run` and `look` list the folders by themselves (moto is S3 and Bedrock),
# and the figures are those of a replay of the files.
. "$(dirname "$0")/../lib.sh"

start_redis
tests/support/aws_world.py "$T/world" 100 12
start_aws_of "$T/world"
cat >"$T/fill.py" <<'END'
import boto3, gzip, json, os, sys
sys.path.insert(0, "tests")
import aws_server
_, _, logs = aws_server.read_world(sys.argv[1])
s3, bedrock = (boto3.client(name, region_name="us-east-1", endpoint_url=sys.argv[2]) for name in ("s3", "bedrock"))
s3.create_bucket(Bucket="prompts")
bedrock.put_model_invocation_logging_configuration(loggingConfig={"s3Config": {"bucketName": "prompts", "keyPrefix": "bed rock"}, "textDataDeliveryEnabled": True})
os.makedirs(sys.argv[3])
for i, r in enumerate(sorted(logs, key=lambda r: r["timestamp"])):
    day, hour = r["timestamp"][:10].replace("-", "/"), r["timestamp"][11:13]
    data = gzip.compress((json.dumps(r) + "\n").encode())
    key = f"bed rock/AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1/{day}/{hour}/{r['timestamp'][:4]}T{i:02}Z_x.json.gz"
    s3.put_object(Bucket="prompts", Key=key, Body=data)
    with open(f"{sys.argv[3]}/{i}.json.gz", "wb") as f:
        f.write(data)
s3.put_object(Bucket="prompts", Key="bed rock/AWSLogs/111122223333/BedrockModelInvocationLogs/amazon-bedrock-logs-permission-check", Body=b"x")
events, _, _ = aws_server.read_world(sys.argv[1])
s3.create_bucket(Bucket="audit")
os.makedirs(sys.argv[4])
for i, (_, r) in enumerate(sorted(events, key=lambda e: e[1]["eventTime"])):
    t, data = r["eventTime"], gzip.compress(json.dumps({"Records": [r]}).encode())
    above, account = ("org/AWSLogs/o-abc123/", "111122223333") if i % 2 else ("org/AWSLogs/", "111122223333")
    name = f"{account}_CloudTrail_us-east-1_{t[:16].replace('-', '').replace(':', '')}Z_{i:04}.json.gz"
    s3.put_object(Bucket="audit", Key=f"{above}{account}/CloudTrail/us-east-1/{t[:10].replace('-', '/')}/{name}", Body=data)
    s3.put_object(Bucket="audit", Key=f"{above}{account}/CloudTrail-Digest/us-east-1/{t[:10].replace('-', '/')}/{name}", Body=b"a digest")
    with open(f"{sys.argv[4]}/{i}.json.gz", "wb") as f:
        f.write(data)
END
ok "a bucket with the files of each hour" "$aws_python" "$T/fill.py" "$aws_world" "$aws_url" "$T/files" "$T/trail"
"$nowcast" replay --redis "$REDIS_URL" --redis.prefix replayed "$T/files" >"$T/out"
report "$T/want.csv" --redis.prefix replayed
has "they have calls" "$(cat "$T/want.csv")" 'user/ann,.*,input,[0-9]+'
run() { start "$1" "$nowcast" run --redis "$REDIS_URL" --sources logs --regions us-east-1 --aws.since 4h --aws.every 1s --alerts false; }
aws_log >"$T/requests"
run first
sleep 1
stop "$pid" KILL
redis del nowcast:source_lease:111122223333 >"$T/out"
run files
is_read() { [ "$(aws_position "logs 111122223333/us-east-1")" -gt "$(($(date +%s) - 80 * 60))000" ]; }
ok "the hours are read" wait_for 30 is_read
sleep 2
stop "$pid"
settled_report "$T/got.csv"
same_file "the figures are those of the files" "$T/got.csv" "$T/want.csv"
is "each file is fetched once by a daemon" "$(aws_log | awk '$4 ~ /json.gz$/ { n[$4]++ } END { for (k in n) if (n[k] > 2) print k, n[k] }')" ""

# --- a trail

"$nowcast" replay --redis "$REDIS_URL" --redis.prefix replayed2 "$T/trail" >"$T/out"
report "$T/want.csv" --redis.prefix replayed2
has "a trail has the calls" "$("$nowcast" report --redis "$REDIS_URL" --redis.prefix replayed2 --by principal)" 'user/ann'
trail() { start "$1" "$nowcast" run --redis "$REDIS_URL" --redis.prefix trail --sources trail --trail.files s3://audit/org --aws.since "$2" --aws.every 1s --alerts false; }
trail_is_read() { [ "$(redis hget trail:sources "trail 111122223333/us-east-1" | cut -d' ' -f1)" -gt "$(($(date +%s) - 62 * 60))000" ]; }
trail later 30m
ok "files of before aws.since are not read" wait_for 20 trail_is_read
stop "$pid"
is "none of them" "$(grep -c '' <<<"$("$nowcast" report --redis "$REDIS_URL" --redis.prefix trail --by principal --format csv)")" 1
redis del trail:sources trail:source_lease:111122223333 >"$T/out"
trail all 30h
ok "the trail is read, by listing" wait_for 30 trail_is_read
stop "$pid"
settled_report "$T/got.csv" --redis.prefix trail
same_file "of the account and of the organisation's: the figures are those of the files" "$T/got.csv" "$T/want.csv"
fails 2 "both a queue and files" "$nowcast" run --redis "$REDIS_URL" --sources trail --trail.files s3://audit --trail.queue https://sqs.us-east-1.amazonaws.com/1/q
has "is refused" "$(cat "$T/err")" 'trail.queue .*or trail.files .*not both'

# --- setup and look

fails 0 "setup" "$nowcast" setup --region us-east-1
has "knows the bucket" "$(cat "$T/out")" '^green +logs +us-east-1: invocation logs go to s3://prompts'
fails 0 "look" "$nowcast" look --hours 4 --region us-east-1
has "reads them too: tokens are exact" "$(cat "$T/out")" '^arn:aws:iam::111122223333:user/ann +[0-9,]+ .*exact'
finish
