# SPDX-License-Identifier: Apache-2.0
"""The IAM tokens of a user of ElastiCache that botocore would make in each of some seconds, a line each.

    iam_tokens.py REGION NAME USER SECONDS      by the credentials in the environment
"""
import datetime
import os
import sys

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

region, name, user, seconds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
credentials = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], os.environ.get("AWS_SESSION_TOKEN"))
now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
for second in range(seconds):
    botocore.auth.get_current_datetime = lambda *_: now + datetime.timedelta(seconds=second)
    request = AWSRequest(method="GET", url="https://%s/?Action=connect&User=%s" % (name, user))
    botocore.auth.SigV4QueryAuth(credentials, "elasticache", region, expires=900).add_auth(request)
    # Parameters are in the order of their names where they are signed; nowcast sends them so, too.
    head, query = request.url.removeprefix("https://").split("?")
    signature = query[query.index("&X-Amz-Signature="):]
    print(head + "?" + "&".join(sorted(query[:-len(signature)].split("&"))) + signature)
