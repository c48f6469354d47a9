#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What looking costs, measured in one run on this machine: a day of many principals asked by principal, beside a plain read
# of the same keys from Redis; then the same with two hundred viewers of the live stream.
#
#     make bench-api                          PRINCIPALS=5000 HOURS=24
#     PRINCIPALS=500 HOURS=4 tests/bench_api.sh    a quick look
. "$(dirname "$0")/lib.sh"

principals=${PRINCIPALS:-5000} hours=${HOURS:-24}
start_redis
echo "filling Redis with $hours hours of $principals principals ..."
python3 tests/many_principals.py "$principals" "$hours" >"$T/many.ndjson"
"$nowcast" replay --redis "$REDIS_URL" --sessions-max 100000 "$T/many.ndjson" >"$T/replay.log" 2>&1 || bail "replay failed: $(tail -n 1 "$T/replay.log")"
free_port
start serve "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port" --listen-rate 100000 --now "2026-11-02T$(printf %02d $((hours - 1))):40:00Z"
wait_for 10 listens "$port" || bail "nowcast serve does not listen"
redis --scan --pattern '*usage:2026*' | sed 's/^/HGETALL /' >"$T/keys"

python3 - "$port" "$hours" "$redis_port" "$T/keys" "$pid" <<'END'
import http.client, socket, subprocess, sys, time
port, hours, redis_port, keys, pid = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5]

def ask(n, different):
    times = []
    for i in range(n):
        began = time.perf_counter()
        c = http.client.HTTPConnection("127.0.0.1", port)
        c.request("GET", f"/api/v1/breakdown?by=principal&hours={hours}" + (f"&limit={100 + i}" if different else ""))
        c.getresponse().read()
        times.append(1000 * (time.perf_counter() - began))
        c.close()
        time.sleep(0.05)
    return times

def row(what, times):
    times = sorted(times)
    print(f"{what:<52} {times[len(times) // 2]:9.1f} ms median {times[int(len(times) * .95)]:9.1f} ms p95")
    return times[len(times) // 2]

def cpu():
    f = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(f[11]) + int(f[12])) / 100

def plain():
    began = time.perf_counter()
    subprocess.run(["redis-cli", "-p", redis_port], stdin=open(keys), stdout=subprocess.DEVNULL, check=True)
    return 1000 * (time.perf_counter() - began)

redis = row("plain read of the same keys by redis-cli", [plain() for _ in range(5)])
row("the first answer, nothing kept yet", ask(1, False))
new = row("answers that nobody asked for before (sums kept)", ask(60, True))
same = row("the same question again", ask(60, False))
viewers = []
for _ in range(200):
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    viewers.append(s)
row("the same beside 200 viewers", ask(60, False))
began = cpu()
time.sleep(10)
print(f"{'processor time of 200 viewers, nothing changing':<52} {100 * (cpu() - began) / 10:9.1f} % of a core")
print(f"{'ratio to the plain read: new question, same again':<52} {new / redis:9.3f} {same / redis:9.3f}")
print("memory of the server: " + next(l for l in open(f"/proc/{pid}/status") if l.startswith("VmHWM")).split(":")[1].strip() + " at most; target: under 20 ms at the median")
END
