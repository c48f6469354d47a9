#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Twelve days in some minutes: one `nowcast run` with its worker, the alerts and the API, whose clock is set on hour by hour. Each hour
# its records come through Kafka, the alerts are checked at least once, and viewers ask for the whole page, for lists by
# principal and for /metrics, of the last three days at most; a day has the sessions of the third day before. So what is asked for is
# the same from the fourth day on. The caches have the least room that is allowed, so they fill within days.
#
#     make soak                                    PRINCIPALS=400 HOURS=288
#     LISTEN_MEMORY=256MiB ALERTS_MEMORY=128MiB tests/soak.sh    with the defaults
#
# Prints the resident memory at the end of each day, and the most that it ever was. Fails if over the last two days the most grew by
# more than MORE (4) per cent: what is resident goes up and down by a tenth with the questions of the moment.
. "$(dirname "$0")/lib.sh"

principals=${PRINCIPALS:-400} hours=${HOURS:-288} begin=2026-11-02T00:00:00Z
use_clock "$begin"
start_redis
start_broker 4
python3 tests/many_principals.py "$principals" "$hours" "$begin" >"$T/week.ndjson"
cat >"$T/rules" <<-END
	[rule spike]
	kind = spike
	by = principal
	[rule teams]
	kind = spike
	by = tag:team
	[rule budget]
	kind = budget
	by = tag:team
	period = month
	amount = 1000000
	[rule burn]
	kind = burn
	by = model
	period = month
	amount = 1000000
	[rule new]
	kind = new
	by = principal
	[rule unpriced]
	kind = unpriced
	by = model
END
free_port
topics=cloudtrail
write_config "$T/nowcast.conf" "listen = 127.0.0.1:$port" "listen.rate = 100000" "listen.memory = ${LISTEN_MEMORY:-16MiB}" \
	"settle.interval = 200ms" "alerts.interval = 1s" "alerts.file = $T/rules" "alerts.memory = ${ALERTS_MEMORY:-16MiB}"
start run "$nowcast" run --config "$T/nowcast.conf"
run_pid=$pid
wait_for 20 listens "$port" || { tail -n 5 "$T/run.log"; bail "nowcast run does not listen"; }

python3 - "$principals" "$hours" "$begin" "$port" "$run_pid" "$T" "$BOOTSTRAP" "$B/tests/produce" "${MORE:-4}" <<'END'
import datetime, http.client, subprocess, sys, time
principals, hours, begin, port, pid, folder, broker, produce, more = sys.argv[1:]
principals, hours, port, more = int(principals), int(hours), int(port), float(more)
begin = datetime.datetime.fromisoformat(begin.replace("Z", "+00:00"))
PANELS = ["summary", "series?step=hour&hours=24", "breakdown?by=team&hours=24&limit=100", "breakdown?by=principal&hours=24&limit=100",
          "breakdown?by=principal&hours=72&limit=100", "breakdown?by=model&hours=48", "movers?by=team&hours=24&limit=6", "cache?hours=24", "gaps?hours=24",
          "forecast", "freshness", "alerts", "budgets", "series?step=hour&hours=72&by=team"]


def ask(path):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    c.request("GET", path)
    r = c.getresponse()
    body = r.read().decode()
    c.close()
    assert r.status == 200, (path, r.status, body)
    return body


def calls(): # of the simulated day
    return next(int(l.split()[1]) for l in ask("/metrics").splitlines() if l.startswith("nowcast_calls_total "))


def status(what):
    return next(int(l.split()[1]) for l in open(f"/proc/{pid}/status") if l.startswith(what)) / 1024


def set_clock(t):
    with open(f"{folder}/clock", "r+b") as f:
        f.write(f"{int(t.timestamp() - time.time()):+015d}\n".encode())


week = open(f"{folder}/week.ndjson")
tags = [line for line in (week.readline() for _ in range(40 + (principals + 99) // 100))]
print(f"{'day':>4} {'resident, MiB':>14} {'at most':>8} {'seconds':>8}")
days, began = [], time.time()
for h in range(hours):
    t, day = begin + datetime.timedelta(hours=h), h // 24
    lines = [week.readline().replace("session-", f"session-d{day % 3}-") for _ in range(principals)]
    set_clock(t + datetime.timedelta(minutes=59))
    subprocess.run([produce, "-b", broker, "-p", "4", "-t", "cloudtrail", "-"], input="".join((tags if h == 0 else []) + lines), text=True, check=True,
                   stdout=subprocess.DEVNULL)
    until = time.time() + 60
    while calls() < (h % 24 + 1) * principals:
        assert time.time() < until, f"hour {h}: the records do not come: {calls()} of {(h % 24 + 1) * principals}"
        time.sleep(0.2)
    for path in PANELS:
        ask(f"/api/v1/{path}")
    if h % 24 == 23 or h + 1 == hours:
        days.append(status("VmHWM"))
        print(f"{day + 1:4} {status('VmRSS'):14.1f} {days[-1]:8.1f} {time.time() - began:8.0f}", flush=True)
if len(days) > 2:
    grown = 100 * (days[-1] / days[-3] - 1)
    print(f"the most grew over the last two days by {grown:+.1f} %; allowed: {more:g} %")
    sys.exit(grown > more)
print("too short for a verdict: three days are the least")
END
status=$?
[ $status = 0 ] || tail -n 5 "$T/run.log"
exit $status
