#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What looking costs, measured in one run on this machine: a day of many principals asked by principal, beside a plain read
# of the same keys from Redis; a whole page of panels from a server that has just started; what the pages of a principal and a
# model ask besides; then two hundred viewers of the live stream, while nothing changes and while the present hour does.
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
redis --scan --pattern '*usage*:2026*' | sed 's/^/HGETALL /' >"$T/keys"

python3 - "$port" "$hours" "$redis_port" "$T/keys" "$pid" <<'END'
import concurrent.futures, http.client, random, socket, subprocess, sys, threading, time
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

PANELS = ["summary", f"series?step=hour&hours={hours}", f"breakdown?by=team&hours={hours}&limit=100", f"movers?by=team&hours={hours}&limit=6", f"cache?hours={hours}",
          f"gaps?hours={hours}", "forecast", "freshness", "alerts", "reconciliation", "budgets", "scoreboard", "findings", "series?step=day&from=2026-10-01&to=2026-11-02T23:59:59Z"]

def panel(path):
    began = time.perf_counter()
    c = http.client.HTTPConnection("127.0.0.1", port)
    c.request("GET", "/api/v1/" + path)
    r = c.getresponse()
    assert r.status == 200, (path, r.read())
    r.read()
    return 1000 * (time.perf_counter() - began)

def page(): # as a browser asks: all at once
    with concurrent.futures.ThreadPoolExecutor(len(PANELS)) as pool:
        return max(pool.map(panel, PANELS))

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
row("the first answer of a server just started", ask(1, False))
row("the last of a page's 14 panels, right after it", [page()])
time.sleep(6) # what is kept of answers is older than that by now
row("and again", [page()])
new = row("answers that nobody asked for before (sums kept)", ask(60, True))
same = row("the same question again", ask(60, False))
WHO = "arn:aws:sts::111122223333:assumed-role/team-%d/session-%05d"
def each(path): # of another principal each time, so that nothing but its model hours is known
    return [panel(path % (WHO % (i % 40, i))) for i in range(41, 41 + 20)]
row("what is known of a principal", each(f"principal?hours={hours}&principal=%s"))
row("why its hour is what it is", each("explain?hour=2026-11-02T00:00:00Z&principal=%s"))
row("the ids of models, within the figures of a principal", each(f"models?hours={hours}&principal=%s"))
row("why the figures of a principal changed", each(f"changes?hours={max(1, int(hours) // 2)}&principal=%s"))
row("why the figures of all changed", [panel(f"changes?hours={max(1, int(hours) // 2)}&limit={i}") for i in range(5, 15)])
viewers = []
for _ in range(200):
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    viewers.append(s)
row("the same beside 200 viewers", ask(60, False))
def burst(): # a change reached all viewers, and each asks for the whole page within a second or two
    began, cpu_began = time.perf_counter(), cpu()
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        times = list(pool.map(panel, PANELS * 200))
    row("an answer while 200 viewers ask for the page", times)
    print(f"{'... of which all have it after, processor time':<52} {time.perf_counter() - began:9.2f} s {cpu() - cpu_began:16.2f} s")
burst()
began = cpu()
time.sleep(10)
print(f"{'processor time of 200 viewers, nothing changing':<52} {100 * (cpu() - began) / 10:9.1f} % of a core")
done = threading.Event()
def change(): # the present hour, as a worker would: another digest, one more row
    sheet = next(k.split()[1] for k in open(keys) if f"usage:" in k and f"T{int(hours) - 1:02}:" in k)
    while not done.is_set():
        subprocess.run(["redis-cli", "-p", redis_port, "HSET", sheet, "arn:aws:iam::1:user/new - input", f"9 {random.randrange(10**12)} 9 0 0 0 0 0 0"],
                       stdout=subprocess.DEVNULL, check=True)
        subprocess.run(["redis-cli", "-p", redis_port, "HSET", sheet.replace(":usage:", ":usage_meta:"), "digest", f"{random.getrandbits(64):016x}"],
                       stdout=subprocess.DEVNULL, check=True)
        done.wait(1)
changes = threading.Thread(target=change)
changes.start()
def drain():
    for s in viewers:
        s.setblocking(False)
    while not done.is_set():
        for s in viewers:
            try:
                s.recv(65536)
            except BlockingIOError:
                pass
        done.wait(.2)
drains = threading.Thread(target=drain)
drains.start()
began = cpu()
time.sleep(10)
print(f"{'processor time of 200 viewers, the hour changing':<52} {100 * (cpu() - began) / 10:9.1f} % of a core")
row("new questions meanwhile", ask(40, True))
done.set()
changes.join()
drains.join()
print(f"{'ratio to the plain read: new question, same again':<52} {new / redis:9.3f} {same / redis:9.3f}")
print("memory of the server: " + next(l for l in open(f"/proc/{pid}/status") if l.startswith("VmHWM")).split(":")[1].strip() + " at most; target: under 20 ms at the median")
END
