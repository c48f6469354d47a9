#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does the code of the AWS side say one thing? tests/check.sh, rule `aws_code`. Needs PyYAML, which comes with cfn-lint.

Policy: what deploy/aws/policy.json grants (`nowcast setup` prints it) is what deploy/aws/role.yaml grants, each statement switched
by a parameter of its own; what docs/aws.md shows; and what the C code says that it misses when it is refused. Terraform reads the
same file: where terraform or tofu is there, its policy is evaluated and compared, with everything on and with one switch each.

Both forms make the same: the same kinds of resources, data events, columns of the bill, state of the rule, members of the logging
switch; the buckets of all templates are one file of Terraform. Whatever Terraform's form refers to is declared, and indexed as it is
declared; whatever is declared is used. Its form is what its own formatter writes, and a parser of HCL reads it: Terraform's, or
python-hcl2 (PyPI), whichever is there.

Prints a line a fault; silence is success.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

AWS = "deploy/aws"
# Actions that no message of the C code names: S3 and STS answer for them by themselves.
UNNAMED = {"kms:Decrypt", "sts:AssumeRole"}
# Of --out: whoever runs a report onto S3 needs them, on a bucket of their own; what reads needs neither.
OF_PEOPLE = {"s3:PutObject", "kms:GenerateDataKey"}


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


class Template(yaml.SafeLoader):
    """CloudFormation's short forms: !Ref x is {"Ref": "x"}."""


def short_form(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    return {suffix: value}


Template.add_multi_constructor("!", short_form)


def template(name):
    return yaml.load(read(f"{AWS}/{name}"), Template)


def as_list(x):
    return x if isinstance(x, list) else [x]


def granted(statements):
    """By Sid: the actions, and whether of every resource."""
    return {s["Sid"]: (s["Effect"], sorted(as_list(s["Action"])), s["Resource"] == "*" or s["Resource"] == ["*"]) for s in statements}


# ---- the policy -------------------------------------------------------------------------------------


def check_role(policy):
    resources = template("role.yaml")["Resources"]
    policies = {name: r for name, r in resources.items() if r["Type"] == "AWS::IAM::Policy"}
    found = [s for r in policies.values() for s in r["Properties"]["PolicyDocument"]["Statement"]]
    if granted(found) != policy or len(found) != len(policy):
        yield f"{AWS}/role.yaml grants something else than policy.json: {difference(granted(found), policy)}"
    conditions = [r.get("Condition") for r in policies.values()]
    if None in conditions or len(set(conditions)) != len(conditions):
        yield f"{AWS}/role.yaml: each policy has a condition of its own, these have not: {conditions}"
    for name, r in policies.items():
        if [x for s in r["Properties"]["PolicyDocument"]["Statement"] for x in as_list(s["Action"]) if "*" in x]:
            yield f"{AWS}/role.yaml: {name} allows a pattern of actions"


def difference(a, b):
    return {sid: (a.get(sid), b.get(sid)) for sid in sorted(set(a) | set(b)) if a.get(sid) != b.get(sid)}


def check_documents(policy):
    blocks = re.findall(r"(?m)^    \{\"Version\".*(?:\n    .*)*", read("docs/aws.md"))
    shown = [json.loads(b) for b in blocks]
    if [b["Statement"] for b in shown] != [json.loads(read(f"{AWS}/policy.json"))["Statement"]]:
        yield f"docs/aws.md does not show {AWS}/policy.json"
    if f'"{AWS}/policy.json"' not in read("run/setup.c"):
        yield f"run/setup.c does not print {AWS}/policy.json"


def check_code(policy):
    """What a refusal names is granted, and what is granted is named."""
    services = sorted({a.split(":")[0] for _, actions, _ in policy.values() for a in actions})
    pattern = r"(?<![\w.-])(?:%s):[A-Z][A-Za-z]+" % "|".join(services)
    named = set()
    for path in glob.glob("aws/*.c") + glob.glob("run/*.c"):
        named |= {x for s in re.findall(r'"(?:\\.|[^"\\])*"', read(path)) for x in re.findall(pattern, s)}
    named -= {"s3:TestEvent", "s3:ObjectCreated"}
    have = {a for _, actions, _ in policy.values() for a in actions}
    for action in sorted(named - have - OF_PEOPLE):
        yield f"{AWS}/policy.json lacks {action}, which the code says that it needs"
    for action in sorted(have - named - UNNAMED):
        yield f"{AWS}/policy.json grants {action}, which no message of the code names"


# ---- Terraform --------------------------------------------------------------------------------------

# Of the variables of terraform/policy: what they are when nothing is wanted, and when everything is.
NOTHING = {"read": [], "queue_arns": [], "trail_buckets": [], "log_buckets": [], "bill_buckets": [], "kms_key_arns": []}
EVERYTHING = {"read": ["calls", "metrics", "logs", "tags", "profiles", "setup", "accounts"], "queue_arns": ["arn:aws:sqs:us-east-1:111122223333:q"],
              "trail_buckets": ["trail"], "log_buckets": ["log"], "bill_buckets": ["bill"], "kms_key_arns": ["arn:aws:kms:us-east-1:111122223333:key/k"]}
SWITCHES = [("read", [one]) for one in EVERYTHING["read"]] + [(k, v) for k, v in EVERYTHING.items() if k != "read"]


def terraform():
    return shutil.which("terraform") or shutil.which("tofu")


def run(program, folder, *args):
    env = {**os.environ, "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    return subprocess.run([program, f"-chdir={folder}", *args], capture_output=True, text=True, env=env, check=False)


def check_terraform(policy):
    program = terraform()
    if not program:
        return
    said = run(program, f"{AWS}/terraform", "fmt", "-check", "-recursive", "-diff")
    if said.returncode:
        yield f"{AWS}/terraform: `terraform fmt -recursive` changes it:\n{said.stdout}{said.stderr}"
    with tempfile.TemporaryDirectory(prefix="nowcast-terraform.") as tmp:
        yield from check_terraform_policy(program, policy, tmp)
        yield from check_terraform_buckets(program, tmp)


def outputs(program, folder):
    """Applies what is in the folder: its outputs, or else what was wrong."""
    for args in (["init", "-no-color"], ["apply", "-no-color", "-auto-approve"], ["output", "-no-color", "-json"]):
        said = run(program, folder, *args)
        if said.returncode:
            return None, f"{program} {args[0]}: {said.stdout}{said.stderr}"
    return json.loads(said.stdout), None


def check_terraform_buckets(program, tmp):
    """Which buckets there are, for the switches. In place of AWS's resources are those of Terraform's own, which need no provider."""
    os.makedirs(f"{tmp}/buckets/module")
    shutil.copy(f"{AWS}/terraform/variables.tf", f"{tmp}/buckets/module")
    names = read(f"{AWS}/terraform/buckets.tf").replace("aws_s3_bucket.nowcast", "terraform_data.nowcast")
    with open(f"{tmp}/buckets/module/buckets.tf", "w", encoding="utf-8") as f:
        f.write(names[:names.index("\nresource ")] + '\nresource "terraform_data" "nowcast" {\n  for_each = local.buckets\n}\n'
                'output "buckets" {\n  value = [local.buckets, { for part, names in local.bucket_names : part => length(names) }]\n}\n')
    all_on = {"trail": True, "firehose": True, "logs": True, "logs_to_bucket": True, "bill": True, "keep_days": 7}
    cases = {"all": (all_on, {"trail": 7, "firehose": 7, "logs": 7, "bill": 400}), "none": ({}, {}), "group_only": ({"logs": True}, {}),
             "trail": ({"trail": True}, {"trail": 30}), "bill": ({"bill": True}, {"bill": 400})}
    main = {"module": {name: {"source": "./module", "trusted_principal": "p", **given} for name, (given, _) in cases.items()},
            "output": {name: {"value": f"${{module.{name}.buckets}}"} for name in cases}}
    with open(f"{tmp}/buckets/main.tf.json", "w", encoding="utf-8") as f:
        json.dump(main, f)
    values, fault = outputs(program, f"{tmp}/buckets")
    if fault:
        yield f"{AWS}/terraform/buckets.tf: {fault}"
        return
    for name, (_, wanted) in cases.items():
        days, lengths = values[name]["value"]
        if days != wanted or lengths != {part: int(part in wanted) for part in ("trail", "firehose", "logs", "bill")}:
            yield f"{AWS}/terraform/buckets.tf: with the switches of {name}: {days}, {lengths}, and not {wanted}"


def check_parses():
    """A parser of HCL reads each file: python-hcl2, where terraform's own formatter (above) is not there."""
    try:
        import hcl2
    except ImportError:
        return
    for path in sorted(glob.glob(f"{AWS}/terraform/**/*.tf", recursive=True)):
        try:
            hcl2.loads(read(path))
        except Exception as e:  # its parser raises many kinds
            yield f"{path}: python-hcl2 does not read it: {e}"


def bucket_parts():
    """The keys of local.buckets."""
    return set(re.findall(r"(?m)^    (\w+) *= .* \? .* : null", read(f"{AWS}/terraform/buckets.tf")))


def check_references():
    """Of the module and of its own module policy, each by itself."""
    for folder in (f"{AWS}/terraform", f"{AWS}/terraform/policy"):
        text = "\n".join(re.sub(r"(?m)#.*$", "", read(path)) for path in sorted(glob.glob(f"{folder}/*.tf")))
        made = {f"{kind}.{name}": body for kind, name, body in re.findall(r'(?ms)^resource "(\w+)" "(\w+)" \{\n(.*?)^\}', text)}
        declared = {"var": set(re.findall(r'(?m)^variable "(\w+)"', text)), "module": set(re.findall(r'(?m)^module "(\w+)"', text)),
                    "local": {name for block in re.findall(r"(?ms)^locals \{\n(.*?)^\}", text) for name in re.findall(r"(?m)^  (\w+) +=", block)}}
        for word, names in declared.items():
            used = set(re.findall(rf"(?<![\w.]){word}\.(\w+)", text))
            for name in sorted(used ^ names):
                yield f"{folder}: {word}.{name} is {'not declared' if name in used else 'not used'}"
        for name, index in sorted(set(re.findall(r'(?<![\w.])(aws_\w+\.\w+)(\[[^\]]*\])?', text))):
            body = made.get(name)
            if body is None:
                yield f"{folder}: {name} is not declared"
                continue
            by_count, by_key = re.search(r"(?m)^  count +=", body), re.search(r"(?m)^  for_each += local\.buckets$", body)
            key = re.fullmatch(r'\["(\w+)"\]', index)
            if index in ("[0]", "[*]") and not by_count or index == "[each.key]" and not by_key or key and not (by_key and key[1] in bucket_parts()):
                yield f"{folder}: {name}{index}, which is not made so"


def check_terraform_policy(program, policy, tmp):
    """One apply: a module for each switch, and one with all of them. It has no provider, so nothing is fetched."""
    shutil.copy(f"{AWS}/policy.json", tmp)
    shutil.copytree(f"{AWS}/terraform/policy", f"{tmp}/terraform/policy", ignore=shutil.ignore_patterns(".terraform*"))
    cases = [EVERYTHING] + [{**NOTHING, name: value} for name, value in SWITCHES]
    main = {"module": {f"case{i}": {"source": "./terraform/policy", "partition": "aws", "account": "111122223333", "log_group": "g", **case} for i, case in enumerate(cases)},
            "output": {f"case{i}": {"value": f"${{module.case{i}.policy}}"} for i in range(len(cases))}}
    with open(f"{tmp}/main.tf.json", "w", encoding="utf-8") as f:
        json.dump(main, f)
    values, fault = outputs(program, tmp)
    if fault:
        yield f"{AWS}/terraform/policy: {fault}"
        return
    found = [granted(values[f"case{i}"]["value"]["Statement"]) for i in range(len(cases))]
    if found[0] != policy:
        yield f"{AWS}/terraform grants something else than policy.json: {difference(found[0], policy)}"
    alone = [sid for one in found[1:] for sid in one]
    if sorted(alone) != sorted(policy) or not all(found[1:]):
        yield f"{AWS}/terraform: a statement that has not one switch: {alone}"


# ---- both make the same -----------------------------------------------------------------------------

# By template: its types, and what Terraform calls them. More than one: Terraform needs several for one.
KINDS = {"AWS::IAM::Role": ["aws_iam_role"], "AWS::IAM::Policy": ["aws_iam_role_policy"], "AWS::SQS::Queue": ["aws_sqs_queue"],
         "AWS::SQS::QueuePolicy": ["aws_sqs_queue_policy"], "AWS::S3::BucketPolicy": ["aws_s3_bucket_policy"],
         "AWS::S3::Bucket": ["aws_s3_bucket", "aws_s3_bucket_public_access_block", "aws_s3_bucket_lifecycle_configuration", "aws_s3_bucket_notification"],
         "AWS::CloudTrail::Trail": ["aws_cloudtrail"], "AWS::Events::Rule": ["aws_cloudwatch_event_rule", "aws_cloudwatch_event_target"],
         "AWS::KinesisFirehose::DeliveryStream": ["aws_kinesis_firehose_delivery_stream"], "AWS::CloudWatch::MetricStream": ["aws_cloudwatch_metric_stream"],
         "AWS::Logs::SubscriptionFilter": ["aws_cloudwatch_log_subscription_filter"], "AWS::Logs::LogGroup": ["aws_cloudwatch_log_group"],
         "AWS::BCMDataExports::Export": ["aws_bcmdataexports_export"],
         "AWS::CloudFormation::StackSet": ["aws_cloudformation_stack_set", "aws_cloudformation_stack_set_instance"]}
# What one form has and the other has not: inline policies of a role are resources of Terraform; the bill's bucket tells nobody; the
# switch of invocation logging has no type in CloudFormation.
ONLY_TERRAFORM = {"aws_iam_role_policy", "aws_bedrock_model_invocation_logging_configuration"}
ONLY_TEMPLATE = {"bill": {"aws_s3_bucket_notification"}}


def words(pattern, text):
    return sorted(set(re.findall(pattern, text)))


def one_line(text):
    return re.sub(r"[\s\",\\]+", " ", text)


def check_forms():
    event_sources = re.search(r'variable "event_sources".*?default *= (\[.*?\])', read(f"{AWS}/terraform/variables.tf"), re.S)[1]
    for path in sorted(glob.glob(f"{AWS}/*.yaml")):
        name = os.path.basename(path)[:-5]
        hcl = read(f"{AWS}/terraform/{name}.tf")
        wanted = {t for r in template(f"{name}.yaml")["Resources"].values() for t in KINDS[r["Type"]]} - ONLY_TEMPLATE.get(name, set())
        if "AWS::S3::Bucket" in [r["Type"] for r in template(f"{name}.yaml")["Resources"].values()]:
            if name not in bucket_parts():
                yield f"{AWS}/terraform/buckets.tf has no bucket of {path}"
            wanted -= set(re.findall(r'(?m)^resource "(\w+)"', read(f"{AWS}/terraform/buckets.tf")))
        found = set(re.findall(r'(?m)^resource "(\w+)"', hcl))
        for kind in sorted((wanted ^ found) - ONLY_TERRAFORM):
            yield f"{kind}: {path} and {AWS}/terraform/{name}.tf do not both have it"
        template_text, hcl_text = (re.sub(r"(?m)#.*|^ *(?:Description: |description *= ).*", "", text) for text in (read(path), hcl))
        actions = r"\b(?:s3|sqs|logs|firehose|sts|kms):[A-Z]\w+(?![\w:])"
        if name != "role" and words(actions, template_text) != words(actions, hcl_text):  # the role's are those of policy.json
            yield f"{path} and {AWS}/terraform/{name}.tf do not allow the same actions"
        for what, pattern in (("types of resources", r"AWS::Bedrock\w*::\w+"), ("services", r"\b[a-z.-]+\.amazonaws\.com"), ("states", r"ENABLED_\w+"), ("names of events", r"\b(?:InvokeModel|Converse)\w*"), ("conditions", r"aws:Source\w+")):
            if words(pattern, template_text) != words(pattern, hcl_text.replace("var.event_sources", event_sources)):
                yield f"{path} and {AWS}/terraform/{name}.tf do not have the same {what}"


def check_bill():
    """The columns and the settings of the export: both forms, and the command that `nowcast setup` prints."""
    columns = {path: one_line(re.search(r"SELECT bill_.*?COST_AND_USAGE_REPORT", re.sub(r'\\n"\s*"', " ", read(path)), re.S)[0])
               for path in (f"{AWS}/bill.yaml", f"{AWS}/terraform/bill.tf", "run/setup.c")}
    if len(set(columns.values())) != 1:
        yield f"other columns of the bill: {columns}"
    for path in columns:
        for setting in ("TIME_GRANULARITY", "INCLUDE_RESOURCES", "INCLUDE_IAM_PRINCIPAL_DATA", "PARQUET"):
            if setting not in read(path):
                yield f"{path}: no {setting}"


def main():
    policy = granted(json.loads(read(f"{AWS}/policy.json"))["Statement"])
    faults = [*check_role(policy), *check_documents(policy), *check_code(policy), *check_terraform(policy), *check_parses(),
              *check_references(), *check_forms(), *check_bill()]
    for fault in faults:
        print(fault)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
