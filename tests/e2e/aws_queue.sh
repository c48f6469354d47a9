#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The files of a trail as an SQS queue tells of them (moto is S3 and SQS, and makes bucket, queue and role of deploy/aws): notifications of S3, by SNS, by EventBridge, and of CloudTrail;
# an event of EventBridge that is the record itself. One file is gone, one is cut short, two are no records, one may not be read: the rest is read, and no
# message is deleted before its records are in Redis. Files of a metric stream and of invocation logs are read as well.
. "$(dirname "$0")/../lib.sh"

start_redis
start_aws 120 --hours 1 --scale 0.03
cat >"$T/fill.py" <<'END'
import boto3, collections, gzip, json, os, sys
sys.path.insert(0, "tests")
import aws_server
events, metrics, logs = aws_server.read_world(sys.argv[1])
s3, sqs, iam, stacks = (boto3.client(name, region_name="us-east-1", endpoint_url=sys.argv[2]) for name in ("s3", "sqs", "iam", "cloudformation"))
def make(name, **parameters):
    stacks.create_stack(StackName=name, TemplateBody=open(f"deploy/aws/{name}.yaml").read(), Capabilities=["CAPABILITY_NAMED_IAM"],
                        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()])
    return {o["OutputKey"]: o["OutputValue"] for o in stacks.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])}
trail = make("trail")
bucket, url = trail["BucketName"], trail["QueueUrl"]
for name in "logs", "events", "bill": # what moto knows of them
    made = make(name)
keys = ["arn:aws:kms:us-east-1:111122223333:key/" + name for name in ("queue", "files")]
make("role", TrustedPrincipal="arn:aws:iam::111122223333:root", QueueArn=trail["QueueArn"], TrailBucket=bucket, LogBucket="logs-*", BillBucket=made["BucketName"], KmsKeyArns=",".join(keys), ReadSetup="true")
granted = {}
for name in iam.list_role_policies(RoleName="nowcast")["PolicyNames"]:
    for s in iam.get_role_policy(RoleName="nowcast", PolicyName=name)["PolicyDocument"]["Statement"]:
        granted[s["Sid"]] = s["Action"] if isinstance(s["Action"], list) else [s["Action"]], s["Resource"]
wanted = {s["Sid"]: s["Action"] for s in json.load(open("deploy/aws/policy.json"))["Statement"] if s["Sid"] != "Accounts"}
assert {sid: actions for sid, (actions, _) in granted.items()} == wanted, granted
assert granted["Queue"][1] == trail["QueueArn"] and granted["TrailFiles"][1] == ["arn:aws:s3:::" + bucket, f"arn:aws:s3:::{bucket}/*"] and granted["Decrypt"][1] == keys, granted
print("stack", bucket, url)
files = collections.defaultdict(list)
for arrived, record in sorted(events, key=lambda e: (e[0], e[1]["eventID"])):
    files[int(arrived) // 300].append(record)
forms = [
    lambda k: {"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": bucket}, "object": {"key": k.replace(" ", "+").replace("=", "%3D")}}}]},
    lambda k: {"Type": "Notification", "Message": json.dumps({"Records": [{"s3": {"bucket": {"name": bucket}, "object": {"key": k.replace(" ", "+").replace("=", "%3D")}}}]})},
    lambda k: {"detail-type": "Object Created", "source": "aws.s3", "detail": {"bucket": {"name": bucket}, "object": {"key": k}}},
    lambda k: {"Type": "Notification", "Message": json.dumps({"s3Bucket": bucket, "s3ObjectKey": [k]})},
]
os.makedirs(sys.argv[3])
def send(body): sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body))
send({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": bucket})
send(forms[0]("AWSLogs/gone.json.gz"))
last = max(files)
for i, (n, records) in enumerate(sorted(files.items())):
    if n == last:  # not in a file: EventBridge brings these records themselves
        with open(f"{sys.argv[3]}/last.json", "w") as f:
            for r in records:
                send({"version": "0", "detail-type": "AWS API Call via CloudTrail", "source": "aws.bedrock", "detail": r})
                print(json.dumps(r), file=f)
        continue
    key, data = f"AWSLogs/a b=c/{n}.json.gz", gzip.compress(json.dumps({"Records": records}).encode())
    if i == 3:
        data = data[:len(data) // 2]
    s3.put_object(Bucket=bucket, Key=key, Body=data)
    send(forms[i % 4](key))
    with open(f"{sys.argv[3]}/{n}.json.gz", "wb") as f:
        f.write(data)
for name, rows in ("records/2026/metrics.gz", metrics), ("AWSLogs/111122223333/BedrockModelInvocationLogs/l.json.gz", logs): # as Firehose and Bedrock write them
    data = gzip.compress("".join(json.dumps(r) + "\n" for r in rows).encode())
    s3.put_object(Bucket=bucket, Key=name, Body=data)
    send(forms[0](name))
    with open(f"{sys.argv[3]}/{os.path.basename(name)}", "wb") as f:
        f.write(data)
for name, data in ("poison.json", b'{"Records":[{"eventSource":"bedrock.amazonaws.com","eventName":"Converse","eventTime":7,"userIdentity":['), ("poison.json.gz", gzip.compress(b"\0\xff" * 4000 + b'{"Records":[{"eventVersion":{"a":[')):
    s3.put_object(Bucket=bucket, Key="AWSLogs/" + name, Body=data)
    send(forms[0]("AWSLogs/" + name))
    with open(f"{sys.argv[3]}/{name}", "wb") as f:
        f.write(data)
s3.put_object(Bucket=bucket, Key="AWSLogs/closed.json.gz", Body=b"never read")
send(forms[0]("AWSLogs/closed.json.gz"))
END
ok "a queue with messages of each form, and a role, from the templates" "$aws_python" "$T/fill.py" "$aws_world" "$aws_url" "$T/files"
read -r _ bucket queue_url < <(grep '^stack' "$T/ok.out")
"$nowcast" replay --redis "$REDIS_URL" --redis.prefix replayed "$T/files" >/dev/null 2>&1
report "$T/want.csv" --redis.prefix replayed
aws_faults '[{"operation": "/'"$bucket"'/AWSLogs/closed.json.gz", "times": -1, "status": 403, "code": "AccessDenied", "message": "closed"}]'

depth() { # ATTRIBUTE
	"$aws_python" -c 'import boto3, sys; q = boto3.client("sqs", region_name="us-east-1", endpoint_url=sys.argv[1]); print(q.get_queue_attributes(
		QueueUrl=sys.argv[3], AttributeNames=["All"])["Attributes"][sys.argv[2]])' "$aws_url" "$1" "$queue_url"
}
all=$(depth ApproximateNumberOfMessages)
hang_redis
run() { start queue "$nowcast" run --redis "$REDIS_URL" --sources trail --trail.queue "$queue_url" --alerts false --dead_letter.file "$T/dead" --stats.interval 1s; }
run
daemon=$pid
sleep 4
is "no message is deleted while Redis does not answer" "$(($(depth ApproximateNumberOfMessages) + $(depth ApproximateNumberOfMessagesNotVisible)))" "$all"
resume_redis
read_all() { [ "$(depth ApproximateNumberOfMessages)" = 0 ] && [ "$(depth ApproximateNumberOfMessagesNotVisible)" = 1 ]; }
ok "all are read and deleted, but for the one whose file may not be read" wait_for 60 read_all
has "doctor knows the source, and says what hinders" "$("$nowcast" doctor --redis "$REDIS_URL" --sources trail --trail.queue "$queue_url")" 'note +aws +trail of 111122223333/us-east-1: .*(closed|deleted before they were read)'
stop "$daemon"
settled_report "$T/got.csv"
same_file "the figures are those of the files" "$T/got.csv" "$T/want.csv"
is "the file and the record that are cut short are dead letters" "$(grep -c '"kind":"broken"' "$T/dead")" 2
is "and those of poison, by their names" "$(grep -o "$bucket/AWSLogs/poison.json[.gz]*" "$T/dead" | sort -u | wc -l)" 2
fails 2 "a queue without a URL" "$nowcast" run --redis "$REDIS_URL" --sources trail --trail.queue trail
has "is told what is expected" "$(cat "$T/err")" 'trail.queue: expected https://sqs.REGION'
fails 2 "the source without a queue" "$nowcast" run --redis "$REDIS_URL" --sources trail
has "is told the key" "$(cat "$T/err")" 'set trail.queue'
finish
