# SPDX-License-Identifier: Apache-2.0
"""A token server (OAuth 2.0, client credentials) on loopback, over TLS: signs JWTs with an RSA key of its own.

    token_server.py FOLDER SECONDS      how long a token lives; FOLDER has server.pem and server.key

It writes FOLDER/jwks.json, then its port into FOLDER/token.port, and a line into FOLDER/token.log for every request. The client
is `nowcast` with the secret `topsecret`.
"""
import base64
import http.server
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.parse

folder, lives = sys.argv[1], int(sys.argv[2])
key = os.path.join(folder, "jwt.key")


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *arguments], input=data, check=True, capture_output=True).stdout


def make_token():
    now = int(time.time())
    claims = {"iss": "https://issuer.example.com", "aud": "kafka", "sub": "nowcast", "scope": "read", "iat": now, "exp": now + lives}
    head = {"alg": "RS256", "typ": "JWT", "kid": "one"}
    text = ".".join(encode(json.dumps(part).encode()) for part in (head, claims))
    return text + "." + encode(openssl("dgst", "-sha256", "-sign", key, data=text.encode()))


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        user = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        good = user == "nowcast:topsecret" and form == {"grant_type": ["client_credentials"], "scope": ["read write"]}
        body = {"access_token": make_token(), "token_type": "Bearer"} if good else {"error": "invalid_client", "error_description": "unknown client"}
        if good and os.path.exists(os.path.join(folder, "token.log")):
            body["expires_in"] = lives  # the first token says it in its claims only
        with open(os.path.join(folder, "token.log"), "a") as log:
            log.write("%d %s\n" % (200 if good else 401, time.time()))
        data = json.dumps(body).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


openssl("genrsa", "-out", key, "2048")
modulus = openssl("rsa", "-in", key, "-noout", "-modulus").decode().strip().split("=")[1]
with open(os.path.join(folder, "jwks.json"), "w") as f:
    json.dump({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one", "e": "AQAB", "n": encode(bytes.fromhex(modulus))}]}, f)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(os.path.join(folder, "server.pem"), os.path.join(folder, "server.key"))
server.socket = context.wrap_socket(server.socket, server_side=True)
with open(os.path.join(folder, "token.port.new"), "w") as f:
    f.write(str(server.server_address[1]))
os.rename(os.path.join(folder, "token.port.new"), os.path.join(folder, "token.port"))
server.serve_forever()
