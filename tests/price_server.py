#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A web server for price lists, on loopback: price_server.py FOLDER LOG

Prints its port. Serves the files below FOLDER with ETag, If-None-Match, Range and If-Range, and writes a line a request to LOG:
path, status, bytes sent. Files beside a file F ask for trouble, once each: F.cut (the connection breaks after so many bytes),
F.lie (a checksum that does not fit), F.busy (503).
"""
import base64
import hashlib
import http.server
import os
import sys

folder, log = sys.argv[1], open(sys.argv[2], "a", buffering=1)


def trouble(path, kind):
    name = f"{path}.{kind}"
    if not os.path.exists(name):
        return None
    with open(name, encoding="ascii") as f:
        text = f.read().strip()
    os.unlink(name)
    return text


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, headers=(), body=b"", send=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        part = body if send is None else body[:send]
        self.wfile.write(part)
        print(self.path, status, len(part), file=log)
        if send is not None:
            self.wfile.flush()
            self.close_connection = True

    def do_GET(self):
        path = folder + self.path
        if ".." in path or not os.path.isfile(path):
            return self.answer(404)
        if trouble(path, "busy") is not None:
            return self.answer(503, body=b"busy")
        with open(path, "rb") as f:
            body = f.read()
        etag = '"' + hashlib.md5(body).hexdigest() + '"'
        if self.headers.get("If-None-Match") == etag:
            return self.answer(304, [("ETag", etag)])
        digest = hashlib.sha256(b"another" if trouble(path, "lie") is not None else body).digest()
        headers = [("ETag", etag), ("x-amz-checksum-sha256", base64.b64encode(digest).decode())]
        cut = trouble(path, "cut")
        send = int(cut) if cut else None
        span = self.headers.get("Range")
        if span and self.headers.get("If-Range") == etag:
            start = int(span[len("bytes="):].rstrip("-"))
            if start >= len(body):
                return self.answer(416)
            headers.append(("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}"))
            return self.answer(206, headers, body[start:], send)
        return self.answer(200, headers, body, send)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
