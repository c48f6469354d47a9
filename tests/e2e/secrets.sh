#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A secret is where it has to be and nowhere else: not in the list of processes, in no message, log or answer, not in the environment
# of a command, and not in a file that everybody can read. What is downloaded comes from where it was told to.
. "$(dirname "$0")/../lib.sh"

secret='Zp9/hunter2@q'  # a / and an @, which should be percent-encoded and often are not
part='Zp9|hunter2'
clean() { # NAME FILE...: no part of the secret is in them
	local name=$1
	shift
	cat "$@" >"$T/said"
	test -s "$T/said" && ! grep -Eq "$part" "$T/said"
	result $? "$name" || sed 's/^/# /' "$T/said"
}

start_redis
redis config set requirepass "$secret" >/dev/null
url=redis://:$secret@127.0.0.1:$redis_port
export REDISCLI_AUTH=$secret
ok "a password with / and @ works" "$nowcast" replay --redis "$url" - </dev/null
for how in "--redis $url" "--redis=$url"; do
	# shellcheck disable=SC2086 # words
	fails 0 "a URL as a flag" "$nowcast" check-config $how --kafka.sasl.password "$secret" --kafka.ssl.key.password="$secret"
	clean "is masked by check-config" "$T/out" "$T/err"
	has "which still says where Redis is" "$(cat "$T/out")" "^redis = redis://:\*\*\*\*@127.0.0.1:$redis_port"
done

# The list of processes.
free_port
start serve "$nowcast" serve --redis "$url" --kafka.sasl.password "$secret" --kafka.sasl.oauthbearer.client.secret="$secret" --listen "127.0.0.1:$port"
serve=$pid
wait_for 10 listens "$port"
tr '\0' '\n' <"/proc/$serve/cmdline" >"$T/cmdline"
clean "the list of processes" "$T/cmdline"
has "shows the other arguments" "$(cat "$T/cmdline")" "^127.0.0.1:$port\$"
curl -s "http://127.0.0.1:$port/api/v1/findings" "http://127.0.0.1:$port/metrics" >"$T/api"
clean "the answers of the API" "$T/api"
kill_redis
sleep 1
curl -s "http://127.0.0.1:$port/api/v1/summary" >"$T/api"
stop "$serve"
clean "its answer and its log while Redis is away" "$T/api" "$T/serve.log"

# Every way to get the URL wrong, and every command that then says so.
for wrong in "redis://:$secret@127.0.0.1:1" "redis://:$secret@nowhere.invalid:1" "redis://:$secret@[::1" "rediss://u:$secret@127.0.0.1:1/2" "redis://$secret@127.0.0.1:1" \
	"redis://:$secret@127.0.0.1:port" "redis://:$secret@127.0.0.1/db" "redis://:Zp9/hunter2" "redis://:hunter2" "http://:$secret@127.0.0.1:1" "unix://:$secret@/nowhere" \
	"redis://:$secret@127.0.0.1:$redis_port/0"; do
	for command in doctor report "who ann" "tags show ann" "price list" migrate "alert list" "reprice --from 2026-11-01" "profiles list" "top --turns 1" check-config; do
		# shellcheck disable=SC2086 # words
		timeout 20 "$nowcast" $command --redis "$wrong" </dev/null
	done >"$T/out" 2>"$T/err"
	clean "what is said of ${wrong//$secret/SECRET}" "$T/out" "$T/err"
done
for words in "--redis-url=$url report" "report --redis-url=$url" "report --kafka-sasl-password=$secret" "report $url" "$url"; do
	# shellcheck disable=SC2086 # words
	fails 2 "wrong arguments" "$nowcast" $words
	clean "are not repeated: ${words//$secret/SECRET}" "$T/err"
done
for line in "redis $url" "$url" "$secret" "kafka.sasl.password $secret" "workers = $url" "prices.update = $url" "topics = $url, workers = x"; do
	echo "$line" >"$T/wrong.conf"
	"$nowcast" check-config --config "$T/wrong.conf" >"$T/err" 2>&1
	clean "is not repeated: ${line//$secret/SECRET}" "$T/err"
done

# Files.
printf '%s\n' "redis = $url" "kafka.sasl.password = $secret" >"$T/secrets.conf"
echo "secrets.file = $T/secrets.conf" >"$T/nowcast.conf"
chmod 600 "$T/secrets.conf"
fails 0 "secrets in a file of their own" "$nowcast" check-config --config "$T/nowcast.conf"
has "are in force" "$(cat "$T/out")" 'redis = redis://:\*\*\*\*@.*# secrets.file:1$'
is "and nothing is warned of" "$(grep -c 'every user' "$T/err")" 0
clean "and are not shown" "$T/out" "$T/err"
chmod 644 "$T/secrets.conf"
echo "ann 0123456789abcdef0" >"$T/tokens"
fails 0 "files that everybody can read" "$nowcast" check-config --config "$T/nowcast.conf" --auth-tokens-file "$T/tokens"
is "are warned of" "$(grep -c 'every user of this machine can read it' "$T/err")" 2
has "by doctor too" "$("$nowcast" doctor --config "$T/nowcast.conf" --redis redis://127.0.0.1:1)" '^warn  secrets +secrets.file '
start_redis
free_port
start open "$nowcast" serve --redis "$REDIS_URL" --auth-tokens-file "$T/tokens" --listen "127.0.0.1:$port"
wait_for 10 listens "$port"
has "and in the log" "$(cat "$T/open.log")" 'every user of this machine.*auth.tokens.file'

# The right token, while somebody at the same address guesses.
for ((i = 0; i < 300; i++)); do echo "url = http://127.0.0.1:$port/api/v1/summary"; done >"$T/guesses"
curl -s -H "Authorization: Bearer wrong-wrong-wrong" -K "$T/guesses" >"$T/guessed"
is "guesses are slowed down" "$(curl -s -o "$T/guessed" -w '%{http_code}' -H 'Authorization: Bearer wrong-wrong-wrong' "http://127.0.0.1:$port/api/v1/summary")" 429
is "the right token is not" "$(curl -s -o "$T/guessed" -w '%{http_code}' -H 'Authorization: Bearer 0123456789abcdef0' "http://127.0.0.1:$port/api/v1/summary")" 200
stop "$pid"

# A command that gets alerts gets no secret.
printf '%s\n' "[receiver c]" "kind = command" "command = env >$T/env; cat >$T/message" >"$T/alerts.conf"
NOWCAST_KAFKA_SASL_PASSWORD=$secret AWS_SECRET_ACCESS_KEY=$secret NOWCAST_ALERTS_LINK=https://n.example.com/ \
	"$nowcast" alert test c --redis "$REDIS_URL" --alerts-file "$T/alerts.conf" >"$T/out" 2>&1
ok "the command runs" test -s "$T/message"
clean "its environment" "$T/env"
is "has what a command needs and no more" "$(grep -cE '^(PATH|HOME|LC_ALL)=' "$T/env") $(grep -cE '^(NOWCAST|AWS|REDIS)' "$T/env")" "3 0"

for url in "http://u:31337/hunter2@127.0.0.1:1/" "https://u:$secret@127.0.0.1:1/" "smtp://u:31337/hunter2@127.0.0.1:1"; do
	printf '%s\n' "[receiver c]" "kind = $([ "${url%%:*}" = smtp ] && echo email || echo webhook)" "url = $url" "from = a@b" "to = c@d" >"$T/alerts.conf"
	"$nowcast" alert test c --redis "$REDIS_URL" --alerts-file "$T/alerts.conf" >"$T/out" 2>&1
	clean "a receiver's password is not told: ${url//$secret/SECRET}" "$T/out"
	is "nor a part of it that looks like a port" "$(grep -c 31337 "$T/out")" 0
done
"$nowcast" price update --prices-dir "$T" --url "http://u:31337/hunter2@127.0.0.1:1" >"$T/out" 2>&1
is "nor that of a mirror of prices" "$(grep -cE '31337|hunter2' "$T/out")" 0

# Redirects.
cat >"$T/redirects.py" <<'END'
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        open(sys.argv[1], "a").write(f"{self.headers['Host']} {self.path}\n")
        port = self.server.server_address[1]
        to = {"away": f"http://localhost:{port}/x", "file": "file:///etc/passwd", "loop": self.path, "here": "/there" + self.path[5:]}.get(self.path[1:5])
        self.send_response(302 if to else 404)
        if to: self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
open(sys.argv[2], "w").write(str(s.server_address[1]))
s.serve_forever()
END
start redirects python3 "$T/redirects.py" "$T/asked" "$T/port"
wait_for 10 test -s "$T/port"
at=http://127.0.0.1:$(cat "$T/port")
update() { "$nowcast" price update --prices-dir "$T/prices" --url "$1" --offers AmazonBedrock >"$T/out" 2>&1; }
mkdir "$T/prices"
for place in away file; do
	update "$at/$place"
	has "a redirect away is not followed: $place" "$(cat "$T/out")" 'redirects to another host or away from https'
done
is "the other host was not asked" "$(grep -c '^localhost' "$T/asked")" 0
update "$at/loop"
has "one in a circle ends" "$(cat "$T/out")" 'redirects too often'
update "$at/here"
has "one on the same host is followed" "$(cat "$T/asked")" '^127.0.0.1:[0-9]+ /there/offers'

# A manifest of a bill names files of its own export only.
"$top/$B/tests/duck_sql" "SELECT 1" >/dev/null 2>&1 || { diag "no libduckdb.so: no bill can be read"; finish; }
mkdir -p "$T/cur/x/data/BILLING_PERIOD=2026-10" "$T/cur/x/metadata/BILLING_PERIOD=2026-10"
echo "line_item_usage_account_id" >"$T/outside.csv"
for uri in "s3://b/x/data/BILLING_PERIOD=2026-10/../../../../outside.csv" "$T/outside.csv" "https://evil.example.com/x.csv" "file://$T/outside.csv"; do
	echo "{\"dataFiles\": [\"$uri\"]}" >"$T/cur/x/metadata/BILLING_PERIOD=2026-10/x-Manifest.json"
	"$nowcast" reconcile --redis "$REDIS_URL" --prices-dir "$T/prices" "$T/cur" >"$T/out" 2>&1
	has "a manifest that names ${uri//$T/.} is refused" "$? $(cat "$T/out")" '^1 .*which is not below data/BILLING_PERIOD='
done
finish
