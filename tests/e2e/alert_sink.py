#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Receivers for the tests of alerts, on loopback: HTTP and SMTP, that write down what they get.

usage: alert_sink.py FOLDER

FOLDER/http.port and smtp.port name the ports; a request to /NAME is appended to FOLDER/NAME as one JSON line. /flaky answers
500 until FOLDER/flaky.ok is there, /gone answers 410, /stall takes its time: it is noted when it comes in, answered only once
FOLDER/stall.ok is there. A mail is appended to FOLDER/mail. Where FOLDER/server.pem and server.key are, smtp-login.port takes
mail for user "nowcast", password "s3cret" only, and those only after STARTTLS.
"""
import base64, http.server, json, os, socketserver, ssl, sys, threading, time

folder = sys.argv[1]


def note(name, what):
    with open(os.path.join(folder, name), "a") as f:
        f.write(json.dumps(what) + "\n")


class Http(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        name = self.path.strip("/").replace("/", "_")
        status = 200
        if name == "stall":
            note(name, {"headers": {k.lower(): v for k, v in self.headers.items()}, "body": body})
            while not os.path.exists(os.path.join(folder, "stall.ok")):
                time.sleep(0.05)
        if name == "flaky" and not os.path.exists(os.path.join(folder, "flaky.ok")):
            status = 500
        if name == "gone":
            status = 410
        note(name + ".answered" if name == "stall" else name, {"headers": {k.lower(): v for k, v in self.headers.items()}, "body": body, "status": status})
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *a):
        pass


class Smtp(socketserver.StreamRequestHandler):
    login = False

    def handle(self):
        def say(*lines):
            self.wfile.write(b"".join(b"%s\r\n" % s.encode() for s in lines))
        say("220 sink")
        mail, tls, known = {"to": []}, False, not self.login
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            word = line.split(":")[0].split(" ")[0].upper()
            if self.login and word == "EHLO":
                say("250-sink", "250 AUTH PLAIN" if tls else "250 STARTTLS")
                continue
            if self.login and word == "STARTTLS":
                say("220 go on")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(os.path.join(folder, "server.pem"), os.path.join(folder, "server.key"))
                self.request = context.wrap_socket(self.request, server_side=True)
                self.rfile, self.wfile, tls = self.request.makefile("rb"), self.request.makefile("wb", 0), True
                continue
            if self.login and word == "AUTH":
                given = line.split(" ", 2)[2] if line.count(" ") > 1 else ""
                if not given:
                    say("334 ")
                    given = self.rfile.readline().decode().rstrip("\r\n")
                known = tls and base64.b64decode(given) == b"\0nowcast\0s3cret"
                say("235 welcome" if known else "535 no")
                continue
            if word == "MAIL" and not known:
                say("530 log in first")
                continue
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


class SmtpLogin(Smtp):
    login = True


def serve(kind, handler, name):
    server = kind(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    with open(os.path.join(folder, name + ".new"), "w") as f:
        f.write(str(server.server_address[1]))
    os.rename(os.path.join(folder, name + ".new"), os.path.join(folder, name))
    threading.Thread(target=server.serve_forever).start()


serve(http.server.ThreadingHTTPServer, Http, "http.port")
serve(socketserver.ThreadingTCPServer, Smtp, "smtp.port")
if os.path.exists(os.path.join(folder, "server.pem")):
    serve(socketserver.ThreadingTCPServer, SmtpLogin, "smtp-login.port")
