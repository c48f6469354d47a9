#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Amazon Data Firehose as an HTTP endpoint sees it: requests in the documented form ("Understand HTTP endpoint delivery request and
response specifications"), tried again with the same id until they are answered with 200 and that id.

    firehose.py URL KEY FILE [--ca FILE] [--batch 100] [--threads 4] [--twice] [--hang-up] [--seconds 60]
                                       the lines of FILE, some a record each, some as one, some packed as a log subscription packs them
    firehose.py URL KEY --hold         the headers of a large delivery, and nothing more
    firehose.py --wrap [FILE]          prints such a body: a record of each line of FILE

--twice sends every other delivery again after it was taken. --hang-up leaves every third one before its answer, once.
"""
import argparse, base64, concurrent.futures, gzip, http.client, json, random, ssl, sys, time, urllib.parse, uuid

STREAM = "arn:aws:firehose:us-east-1:111122223333:deliverystream/bedrock"


def body_of(records, request_id, pretty=False):
    return json.dumps({"requestId": request_id, "timestamp": int(time.time() * 1000),
                       "records": [{"data": base64.b64encode(r).decode()} for r in records]}, indent=2 if pretty else None).encode()


class Endpoint:
    def __init__(self, url, key, ca):
        self.url, self.key = urllib.parse.urlsplit(url), key
        self.context = ssl.create_default_context(cafile=ca) if self.url.scheme == "https" else None

    def post(self, body, request_id, compress=False, read=True, seconds=180):
        kind = http.client.HTTPSConnection if self.context else http.client.HTTPConnection
        c = kind(self.url.hostname, self.url.port, timeout=seconds, **({"context": self.context} if self.context else {}))
        try:
            h = {"Content-Type": "application/json", "X-Amz-Firehose-Protocol-Version": "1.0", "X-Amz-Firehose-Request-Id": request_id,
                 "X-Amz-Firehose-Source-Arn": STREAM, "X-Amz-Firehose-Access-Key": self.key, "User-Agent": "Amazon Kinesis Data Firehose Agent/1.0",
                 "X-Amz-Firehose-Common-Attributes": json.dumps({"commonAttributes": {"k%d" % i: "v" * 1000 for i in range(30)}}),
                 "Accept-Encoding": "gzip"}
            if compress:
                h["Content-Encoding"] = "gzip"
            c.request("POST", self.url.path, body, h)
            if not read:
                return None, None
            r = c.getresponse()
            return r, r.read()
        finally:
            c.close()


def is_taken(r, body, request_id):
    if r.status != 200:
        return False
    answer = json.loads(body)
    assert set(answer) == {"requestId", "timestamp"} and answer["requestId"] == request_id and abs(answer["timestamp"] / 1000 - time.time()) < 200, answer
    assert r.headers["Content-Type"] == "application/json" and not r.headers["Content-Encoding"] and int(r.headers["Content-Length"]) == len(body)
    return True


def deliver(endpoint, records, number, args):
    """One delivery, until it is taken. Returns how often it was tried."""
    request_id, until, wait, tries = str(uuid.UUID(int=number + 1)), time.time() + args.seconds, .1, 0
    body, compress = body_of(records, request_id, number % 5 == 0), number % 2 == 1
    if compress:
        body = gzip.compress(body)
    again = args.twice and number % 2 == 0
    while time.time() < until:
        tries += 1
        try:
            if args.hang_up and number % 3 == 0 and tries == 1:
                endpoint.post(body, request_id, compress, read=False)
            else:
                r, answer = endpoint.post(body, request_id, compress)
                if is_taken(r, answer, request_id):
                    if not again:
                        return tries
                    again = False
                    continue
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(wait)
        wait = min(2 * wait, 1)
    raise SystemExit(f"delivery {number} was not taken in {args.seconds} s")


def pack(lines, number):
    """Records of Firehose: a line each, all lines in one, gzip of both forms."""
    lines = [line + b"\n" for line in lines]
    return (lines, [b"".join(lines)], [gzip.compress(line) for line in lines], [gzip.compress(b"".join(lines)), b""])[number % 4]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("words", nargs="*")
    p.add_argument("--ca")
    p.add_argument("--batch", type=int, default=100)
    p.add_argument("--threads", type=int, default=4)
    p.add_argument("--seconds", type=float, default=60)
    for flag in ("--twice", "--hang-up", "--hold", "--wrap"):
        p.add_argument(flag, action="store_true")
    args = p.parse_intermixed_args()
    if args.wrap:
        lines = (open(args.words[0], "rb") if args.words else sys.stdin.buffer).read().splitlines()
        return sys.stdout.write(body_of(lines, str(uuid.UUID(int=7))).decode())
    endpoint = Endpoint(args.words[0], args.words[1], args.ca)
    if args.hold:
        c = http.client.HTTPSConnection(endpoint.url.hostname, endpoint.url.port, context=endpoint.context)
        c.putrequest("POST", endpoint.url.path)
        for name, value in ("X-Amz-Firehose-Access-Key", endpoint.key), ("Content-Length", 96 << 20):
            c.putheader(name, value)
        c.endheaders(b"{")
        print("sent", flush=True)
        return time.sleep(60)
    lines = open(args.words[2], "rb").read().splitlines()
    batches = [lines[i:i + args.batch] for i in range(0, len(lines), args.batch)]
    order = list(enumerate(batches))
    random.Random(15).shuffle(order)
    with concurrent.futures.ThreadPoolExecutor(args.threads) as pool:
        tries = list(pool.map(lambda b: deliver(endpoint, pack(b[1], b[0]), b[0], args), order))
    print(len(batches), "deliveries", sum(tries), "tries")


if __name__ == "__main__":
    main()
