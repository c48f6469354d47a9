#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Columns of a report in CSV by their names: report --format csv | columns.py PATTERN NAME...

Prints the rows that the pattern matches on one line: words between blanks, the columns of a row between commas. ARNs are
cut to what follows "role/" or "user/"."""
import csv
import re
import sys

pattern, names = sys.argv[1], sys.argv[2:]
rows = [{k: re.sub(r"arn:aws:(sts|iam)::\d+:(assumed-role|user)/", "", v) for k, v in r.items()} for r in csv.DictReader(sys.stdin)]
print(*(",".join(r[n] for n in names) for r in rows if re.search(pattern, ",".join(r.values()))))
