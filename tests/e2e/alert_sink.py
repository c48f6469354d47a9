#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Receivers for the tests of alerts, on loopback: HTTP and SMTP, that write down what they get.

usage: alert_sink.py FOLDER

FOLDER/http.port and smtp.port name the ports; a request to /NAME is appended to FOLDER/NAME as one JSON line. /flaky answers
500 until FOLDER/flaky.ok is there, /gone answers 410, /stall never answers. A mail is appended to FOLDER/mail.
"""
import http.server, json, os, socketserver, sys, threading, time

folder = sys.argv[1]


def note(name, what):
    with open(os.path.join(folder, name), "a") as f:
        f.write(json.dumps(what) + "\n")


class Http(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        name = self.path.strip("/").replace("/", "_")
        if name == "stall":
            time.sleep(60)
        status = 200
        if name == "flaky" and not os.path.exists(os.path.join(folder, "flaky.ok")):
            status = 500
        if name == "gone":
            status = 410
        note(name, {"headers": {k.lower(): v for k, v in self.headers.items()}, "body": body, "status": status})
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *a):
        pass


class Smtp(socketserver.StreamRequestHandler):
    def handle(self):
        say = lambda s: self.wfile.write(s.encode() + b"\r\n")
        say("220 sink")
        mail = {"to": []}
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            word = line.split(":")[0].split(" ")[0].upper()
            if word == "MAIL":
                mail["from"] = line.split(":", 1)[1]
            elif word == "RCPT":
                mail["to"].append(line.split(":", 1)[1])
            elif word == "DATA":
                say("354 go on")
                text = b""
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    text += part
                mail["text"] = text.decode()
                note("mail", mail)
            elif word == "QUIT":
                say("221 bye")
                return
            say("250 ok")


def serve(kind, handler, name):
    server = kind(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    with open(os.path.join(folder, name + ".new"), "w") as f:
        f.write(str(server.server_address[1]))
    os.rename(os.path.join(folder, name + ".new"), os.path.join(folder, name))
    threading.Thread(target=server.serve_forever).start()


serve(http.server.ThreadingHTTPServer, Http, "http.port")
serve(socketserver.ThreadingTCPServer, Smtp, "smtp.port")
