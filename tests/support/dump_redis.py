#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what a Redis holds as commands for redis-cli, a key after the other: dump_redis.py PORT. Buckets stay open for ever,
and nothing expires, so that what was dumped can be joined with records years later."""
import socket
import sys

connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
replies = connection.makefile("rb")


def read():
    line = replies.readline()[:-2]
    kind, rest = line[:1], line[1:]
    if kind == b"$":
        return None if rest == b"-1" else replies.read(int(rest) + 2)[:-2]
    if kind == b"*":
        return [read() for _ in range(int(rest))]
    if kind == b"-":
        sys.exit(rest.decode())
    return rest


def ask(*words):
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    connection.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
    return read()


def quoted(word):
    text = "".join(chr(c) if 32 <= c < 127 and c not in b'"\\' else f"\\x{c:02x}" for c in word)
    return f'"{text}"'


for key in sorted(ask("KEYS", "*")):
    kind = ask("TYPE", key)
    if kind == b"string":
        words = [b"SET", key, ask("GET", key)]
    elif kind == b"hash":
        held = ask("HGETALL", key)
        words = [b"HSET", key] + [w for pair in sorted(zip(held[::2], held[1::2])) for w in pair]
    elif kind == b"set":
        words = [b"SADD", key] + sorted(ask("SMEMBERS", key))
    else:
        held = ask("ZRANGE", key, 0, -1, "WITHSCORES")
        words = [b"ZADD", key] + [w for member, score in zip(held[::2], held[1::2])
                                  for w in (b"4102444800000" if key.endswith(b":open") else score, member)]
    print(words[0].decode(), *map(quoted, words[1:]))
