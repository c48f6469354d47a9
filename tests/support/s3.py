#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small S3 on loopback that checks signatures (Signature Version 4), for tests: ListObjectsV2 and GetObject, path-style, TLS if a
certificate is given. Also plays the credential endpoints of a container and of a machine, STS (AssumeRole, signed, and AssumeRoleWithWebIdentity) and
the single sign-on portal. What no real server does on demand is its business: faults; signatures are checked by a real one, too.

    s3.py FOLDER PORTFILE LOG [CERTIFICATE]     FOLDER/BUCKET/KEY are the objects; keys are AKIDEXAMPLE / topsecret / session

Faults, by files in FOLDER: .fail503 (its number is how many requests get a 503), .cut (downloads break off after half, once a key),
.expired (every request gets ExpiredToken), .region (requests signed for another Region are told which).
"""
import datetime, hashlib, hmac, http.server, json, os, re, ssl, sys, urllib.parse

ROOT, PORTFILE, LOG = sys.argv[1:4]
SECRET, PAGE = "topsecret", 3
cut = set()


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, form, *args):
        with open(LOG, "a") as f:
            f.write(f"{self.command} {self.path} {self.headers.get('Range', '')}\n")

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def error(self, status, code, headers=()):
        self.answer(status, f"<Error><Code>{code}</Code><Message>a test</Message></Error>".encode(), headers)

    def fault(self, name):
        path = os.path.join(ROOT, name)
        return open(path).read().strip() if os.path.exists(path) else None

    def signed(self, service="s3", token="session"):
        m = re.match(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/" + service + r"/aws4_request, *SignedHeaders=([^,]+), *Signature=(\w+)", self.headers.get("Authorization", ""))
        if not m or m.group(1) != "AKIDEXAMPLE" or self.headers.get("x-amz-security-token") != token:
            return "InvalidAccessKeyId"
        _, day, region, names, signature = m.groups()
        if (token and "x-amz-security-token" not in names) or "host" not in names:
            return "AccessDenied"
        if self.fault(".region") not in (None, region):
            return "AuthorizationHeaderMalformed"
        path, _, query = self.path.partition("?")
        quote = lambda s, safe="": urllib.parse.quote(urllib.parse.unquote(s), safe=safe)
        query = "&".join(sorted("=".join((quote(k), quote(v))) for k, _, v in (p.partition("=") for p in query.split("&") if p)))
        heads = "".join(f"{n}:{' '.join(self.headers.get(n, '').split())}\n" for n in names.split(";"))
        canonical = "\n".join([self.command, quote(path, "/"), query, heads, names, self.headers.get("x-amz-content-sha256", hashlib.sha256(b"").hexdigest())])
        stamp = self.headers.get("x-amz-date", "")
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, f"{day}/{region}/{service}/aws4_request", hashlib.sha256(canonical.encode()).hexdigest()])
        key = sign(sign(sign(sign(("AWS4" + SECRET).encode(), day), region), service), "aws4_request")
        return None if hmac.compare_digest(sign(key, text).hex(), signature) else "SignatureDoesNotMatch"

    def credentials(self):
        return json.dumps({"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": SECRET, "Token": "session"}).encode()

    def role(self, query):
        """STS: the role is given to whoever signs with the permanent keys (without a session), or has the cluster's token."""
        if query["Action"] == ["AssumeRole"]:
            why = self.signed("sts", None) or (None if query.get("ExternalId", ["right"]) == ["right"] else "AccessDenied")
        else:
            why = None if query["WebIdentityToken"] == ["cluster-token"] else "InvalidIdentityToken"
        if why:
            return self.error(403, why)
        return self.answer(200, f"<R><Credentials><AccessKeyId>AKIDEXAMPLE</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>session</SessionToken></Credentials></R>".encode())

    def portal(self, query):
        if self.headers.get("x-amz-sso_bearer_token") != "sso-token":
            return self.error(401, "UnauthorizedException")
        if (query["account_id"], query["role_name"]) != (["111122223333"], ["Billing"]):
            return self.error(403, "ForbiddenException")
        return self.answer(200, json.dumps({"roleCredentials": {"accessKeyId": "AKIDEXAMPLE", "secretAccessKey": SECRET, "sessionToken": "session", "expiration": 1}}).encode())

    def do_PUT(self):
        self.answer(200, b"imds-token") if self.path == "/latest/api/token" else self.error(405, "MethodNotAllowed")

    def do_GET(self):
        if self.path == "/container":
            return self.answer(200, self.credentials()) if self.headers.get("Authorization") == "container-token" else self.error(403, "AccessDenied")
        if self.path.startswith("/latest/meta-data/iam/security-credentials/"):
            if self.headers.get("X-aws-ec2-metadata-token") != "imds-token":
                return self.error(401, "Unauthorized")
            return self.answer(200, self.credentials() if self.path.endswith("/role") else b"role")
        query = urllib.parse.parse_qs(self.path.partition("?")[2])
        if "Action" in query:
            return self.role(query)
        if self.path.startswith("/federation/credentials?"):
            return self.portal(query)
        left = int(self.fault(".fail503") or 0)
        if left:
            with open(os.path.join(ROOT, ".fail503"), "w") as f:
                f.write(str(left - 1))
            return self.error(503, "SlowDown")
        if self.fault(".expired") is not None:
            return self.error(400, "ExpiredToken")
        why = self.signed()
        if why:
            return self.error(400 if why.startswith("Auth") else 403, why, [("x-amz-bucket-region", self.fault(".region"))] if self.fault(".region") else [])
        path, _, query = self.path.partition("?")
        bucket, _, key = urllib.parse.unquote(path).lstrip("/").partition("/")
        if not os.path.isdir(os.path.join(ROOT, bucket)):
            return self.error(404, "NoSuchBucket")
        return self.get(bucket, key) if key else self.listing(bucket, urllib.parse.parse_qs(query))

    def listing(self, bucket, query):
        top, objects = os.path.join(ROOT, bucket), []
        for folder, _, names in os.walk(top):
            objects += [os.path.relpath(os.path.join(folder, n), top) for n in names]
        objects = sorted(k for k in objects if k.startswith(query.get("prefix", [""])[0]))
        start = int(query.get("continuation-token", ["0"])[0])
        text = "<ListBucketResult>"
        for key in objects[start:start + PAGE]:
            st = os.stat(os.path.join(top, key))
            when = datetime.datetime.fromtimestamp(int(st.st_mtime), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            text += f"<Contents><Key>{urllib.parse.quote(key)}</Key><LastModified>{when}</LastModified><Size>{st.st_size}</Size></Contents>"
        if start + PAGE < len(objects):
            text += f"<NextContinuationToken>{start + PAGE}</NextContinuationToken>"
        self.answer(200, (text + "</ListBucketResult>").encode())

    def get(self, bucket, key):
        path = os.path.join(ROOT, bucket, key)
        if not os.path.isfile(path):
            return self.error(404, "NoSuchKey")
        data = open(path, "rb").read()
        m = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        part = data[int(m.group(1)):] if m else data
        if self.fault(".cut") is not None and key.endswith(".gz") and key not in cut:
            cut.add(key)
            self.send_response(200)
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            self.wfile.write(part[:len(part) // 2])
            self.close_connection = True
            return None
        return self.answer(206 if m else 200, part)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(PORTFILE + ".new", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(PORTFILE + ".new", PORTFILE)
server.serve_forever()
