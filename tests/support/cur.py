#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Changes a CUR 2.0 export of the world (CSV.gz, as world.py writes it) into another one, for tests.

    cur.py FROM TO HOW [ARGUMENT]      and prints the dollars of Bedrock usage in it, to twelve places

HOW: same | halve (tokens and dollars of every row) | until T (rows before T only) | daily | without COLUMN | rename COLUMN NAME
     | marketplace (Claude's rows as the Marketplace bills them) | braces (the same, the product map as {k=v}) | euro | nan
     | nobody (principals empty) | untagged (no tags of callers) | negative (a row whose tokens and dollars are taken back) | tribute (a row of a
       type of line that nobody knows) | now (as if it were this month) | monthly | empty (a manifest without files) | twice (two exports)
     | discount (12 % off list) | flex (every second row of Nova in the flex tier, at half the rate) | create (a folder an execution, with an older whole one and a newer one that is not) | lost (the data file is missing)
"""
import collections, csv, decimal, gzip, io, json, os, re, shutil, sys, time

D = decimal.Decimal
MARKET = {"input-tokens": "InputTokenCount", "output-tokens": "OutputTokenCount", "cache-read-input-token-count": "CacheReadInputTokenCount",
          "cache-write-input-token-count": "CacheWriteInputTokenCount", "cache-write-input-token-count-1-hour": "CacheWrite1hInputTokenCount"}
PRODUCT = {"Claude4.6Sonnet": "Claude Sonnet 4.6 (Amazon Bedrock Edition)", "Claude4.5Haiku": "Claude Haiku 4.5 (Amazon Bedrock Edition)"}


def usage(row):
    return row["line_item_line_item_type"] == "Usage" and row["line_item_product_code"] != "AmazonS3"


def daily(rows):
    sums = collections.OrderedDict()
    for row in rows:
        day = row["line_item_usage_start_date"][:10]
        key = (day, row["line_item_usage_account_id"], row.get("line_item_iam_principal"), row["line_item_usage_type"], row["line_item_resource_id"], row["line_item_line_item_type"])
        kept = sums.get(key)
        if kept is None:
            sums[key] = kept = dict(row)
            kept["line_item_usage_start_date"], kept["line_item_usage_end_date"] = day + "T00:00:00Z", day[:8] + "%02dT00:00:00Z" % (int(day[8:]) + 1)
            continue
        for name in ("line_item_unblended_cost", "line_item_usage_amount", "pricing_public_on_demand_cost"):
            if kept[name] and row[name]:
                kept[name] = str(D(kept[name]) + D(row[name]))
    return list(sums.values())


def marketplace(row, braces):
    m = re.match(r"(\w+)-(Claude4\.6Sonnet|Claude4\.5Haiku)-(.*?)(-cross-region-global)?$", row["line_item_usage_type"])
    row["product"] = "{}"
    if m and usage(row):
        prefix, model, what, scope = m.groups()
        row["line_item_usage_type"] = f"{prefix}-MP:{prefix}_{MARKET[what]}{'_Global' if scope else ''}-Units"
        row["line_item_product_code"], row["product_servicecode"], row["product_product_family"] = "7zgyu5r4uonlsrnaq20qq63eo", "", ""
        row["bill_billing_entity"], row["pricing_unit"], row["line_item_resource_id"] = "AWS Marketplace", "Units", ""
        row["line_item_usage_amount"], row["pricing_public_on_demand_cost"] = str(D(row["line_item_usage_amount"]) / 1000), ""
        row["product"] = "{product_name=" + PRODUCT[model] + ", region=us-east-1}" if braces else json.dumps({"product_name": PRODUCT[model], "region": "us-east-1"})
    return row


def change(rows, how, arguments):
    if how == "halve":
        for row in rows:
            for name in ("line_item_unblended_cost", "line_item_usage_amount", "pricing_public_on_demand_cost"):
                if usage(row):
                    row[name] = str(D(row[name]) / 2)
    elif how == "discount":
        for row in rows:
            if usage(row):
                row["line_item_unblended_cost"] = str(D(row["line_item_unblended_cost"]) * 88 / 100)
    elif how == "flex":
        nova = [row for row in rows if usage(row) and "-Nova" in row["line_item_usage_type"]]
        for row in nova[::2]:
            row["line_item_usage_type"] += "-flex"
            for name in ("line_item_unblended_cost", "pricing_public_on_demand_cost"):
                row[name] = str(D(row[name]) / 2)
    elif how == "until":
        rows = [row for row in rows if row["line_item_usage_start_date"] < arguments[0]]
    elif how == "daily":
        rows = daily(rows)
    elif how == "without":
        for row in rows:
            del row[arguments[0]]
    elif how == "rename":
        rows = [{(arguments[1] if k == arguments[0] else k): v for k, v in row.items()} for row in rows]
    elif how in ("marketplace", "braces"):
        rows = [marketplace(row, how == "braces") for row in rows]
    elif how == "euro":
        for row in rows:
            row["line_item_currency_code"] = "EUR"
    elif how == "nobody":
        for row in rows:
            row["line_item_iam_principal"] = ""
    elif how == "untagged":
        for row in rows:
            row["tags"] = "{}"
    elif how == "negative":
        row = dict(next(r for r in rows if usage(r)))
        for name in ("line_item_unblended_cost", "line_item_usage_amount", "pricing_public_on_demand_cost"):
            row[name] = str(-D(row[name]) / 2)
        rows.append(row)
    elif how == "tribute":
        rows.append(dict(next(r for r in rows if usage(r)), line_item_line_item_type="Tribute", line_item_unblended_cost="7.5"))
    elif how == "now":
        month = time.strftime("%Y-%m")
        rows = [{k: v.replace("2026-11-", month + "-") for k, v in row.items()} for row in rows]
    elif how == "monthly":
        for row in rows:
            row["line_item_usage_start_date"], row["line_item_usage_end_date"] = "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"
    elif how == "nan":
        rows[0]["line_item_unblended_cost"] = "NaN"
    return rows


def write_data(path, rows):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with gzip.open(path, "wt", newline="", encoding="utf-8") as f:
        w = csv.DictWriter(f, list(rows[0]))
        w.writeheader()
        w.writerows(rows)


def write_manifest(path, files):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        json.dump({"dataFiles": files}, f)


def deliver(top, period, rows, how):
    runs = ["2026-11-20T06:00:00.000Z-aaaa/", "2026-11-21T06:00:00.000Z-bbbb/"] if how == "create" else [""]
    for i, run in enumerate(runs):
        path = f"data/{period}/{run}test-00001.csv.gz"
        if how != "lost" and i == 0:
            write_data(os.path.join(top, path), rows)
        write_manifest(os.path.join(top, f"metadata/{period}/{run}test-Manifest.json"), [] if how == "empty" else [f"s3://bill/prefix/test/{path}"])


def main():
    source, target, how, arguments = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    shutil.rmtree(target, ignore_errors=True)
    for folder, _, names in os.walk(source):
        for name in (n for n in names if n.endswith(".csv.gz")):
            with gzip.open(os.path.join(folder, name), "rt", newline="", encoding="utf-8") as f:
                rows = change(list(csv.DictReader(f)), how, arguments)
            period = os.path.basename(folder) if how != "now" else "BILLING_PERIOD=" + time.strftime("%Y-%m")
            for copy in ["test", "other"] if how == "twice" else ["test"]:
                deliver(os.path.join(target, copy), period, rows, how)
            print(sum((D(r["line_item_unblended_cost"]) for r in rows if usage(r) and r["line_item_unblended_cost"] != "NaN"), D(0)).quantize(D("1e-9")))


main()
