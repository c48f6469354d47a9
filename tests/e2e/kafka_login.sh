#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every way to log in to Kafka, on a real broker: passwords (PLAIN, SCRAM), client certificates, OAuth tokens (OIDC), IAM tokens of Amazon MSK. All read
# the same stream to the same figures, with tokens that live for seconds; who may not log in is told why.
. "$(dirname "$0")/../lib.sh"

require "no Apache Kafka: run deploy/install-deps --test" kafka_libs
# librdkafka before 2.6.1, as that of Debian 12, cannot log in by SCRAM to the Kafka of the tests: there a newer one does.
old_scram=$(kcat -V | grep -Eq 'librdkafka ([01]\.|2\.[0-5]\.|2\.6\.0)' && echo yes)
for_scram=()
if [ -n "$old_scram" ]; then
	require "no librdkafka that logs in by SCRAM: run deploy/install-deps --test" newer_librdkafka
	for_scram=(env "LD_LIBRARY_PATH=$(newer_librdkafka)")
fi
make_world --hours 1 --scale 0.05
reference "$world/stream.ndjson" "$T/want.csv"
make_certificates || bail "openssl could not make certificates"
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=nowcast -keyout "$T/client.key" -out "$T/client.csr" 2>"$T/client.log" &&
	openssl x509 -req -in "$T/client.csr" -CA "$T/ca.pem" -CAkey "$T/ca.key" -CAcreateserial -days 2 -out "$T/client.pem" 2>>"$T/client.log" ||
	bail "openssl could not make a client's certificate"
cat "$T/server.key" "$T/server.pem" >"$T/broker.pem"
java -m jdk.compiler/com.sun.tools.javac.Main -cp "$(compgen -G "$(kafka_libs)/kafka-clients-*.jar")" -d "$T/classes" tests/support/kafka/IamValidator.java >"$T/javac.log" 2>&1 ||
	{ sed 's/^/# /' "$T/javac.log"; bail "IamValidator.java does not compile"; }
start tokens python3 tests/support/kafka/token_server.py "$T" 5
wait_for 20 test -s "$T/token.port" || bail "the token server does not start"

for listener in scram mtls oidc msk; do free_port; declare "$listener=$port"; done
kafka_format=(--add-scram 'SCRAM-SHA-512=[name=nowcast,password=topsecret]' --add-scram 'SCRAM-SHA-256=[name=nowcast,password=topsecret]')
eval "plain_$(declare -f kafka_properties)"
# shellcheck disable=SC2154 # $scram and the others are declared above
kafka_properties() {
	local oauth=org.apache.kafka.common.security.oauthbearer
	plain_kafka_properties "$@" | sed -E "s|^listeners=.*|&,SCRAM://127.0.0.1:$scram,MTLS://127.0.0.1:$mtls,OIDC://127.0.0.1:$oidc,MSK://127.0.0.1:$msk|
		s|^advertised.listeners=.*|&,SCRAM://127.0.0.1:$scram,MTLS://127.0.0.1:$mtls,OIDC://127.0.0.1:$oidc,MSK://127.0.0.1:$msk|"
	cat <<-END
		listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SCRAM:SASL_SSL,MTLS:SSL,OIDC:SASL_SSL,MSK:SASL_SSL
		inter.broker.listener.name=PLAINTEXT
		ssl.keystore.type=PEM
		ssl.keystore.location=$T/broker.pem
		ssl.truststore.type=PEM
		ssl.truststore.location=$T/ca.pem
		listener.name.mtls.ssl.client.auth=required
		listener.name.scram.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
		listener.name.scram.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_nowcast="topsecret";
		listener.name.scram.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
		listener.name.scram.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
		listener.name.oidc.sasl.enabled.mechanisms=OAUTHBEARER
		listener.name.oidc.oauthbearer.sasl.jaas.config=$oauth.OAuthBearerLoginModule required;
		listener.name.oidc.oauthbearer.sasl.server.callback.handler.class=$oauth.OAuthBearerValidatorCallbackHandler
		listener.name.oidc.sasl.oauthbearer.jwks.endpoint.url=file://$T/jwks.json
		listener.name.oidc.sasl.oauthbearer.expected.audience=kafka
		listener.name.oidc.sasl.oauthbearer.expected.issuer=https://issuer.example.com
		listener.name.oidc.sasl.oauthbearer.clock.skew.seconds=10
		listener.name.oidc.oauthbearer.connections.max.reauth.ms=5000
		listener.name.msk.sasl.enabled.mechanisms=OAUTHBEARER
		listener.name.msk.oauthbearer.sasl.jaas.config=$oauth.OAuthBearerLoginModule required;
		listener.name.msk.oauthbearer.sasl.server.callback.handler.class=IamValidator
	END
}
export KAFKA_JAVA_OPTS="-cp $(kafka_libs)/*:$T/classes -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Diam.secret=topsecret
	-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://$T/jwks.json -Dorg.apache.kafka.sasl.oauthbearer.allowed.files=$T/jwks.json"
start_redis
start_kafka 2
broker_kind=kafka

export AWS_ACCESS_KEY_ID=AKIAEXAMPLE AWS_SECRET_ACCESS_KEY=topsecret AWS_REGION=eu-central-1 AWS_EC2_METADATA_DISABLED=true HOME=$T
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_DEFAULT_REGION
ca="kafka.ssl.ca.location = $T/ca.pem"
config() { # NAME PORT LINE...: $T/NAME.conf, with a prefix and a group of its own
	local name=$1 port=$2
	shift 2
	write_config "$T/$name.conf" "dead_letter.topic = dead-$name" "redis.prefix = $name" "$ca" "$@"
	sed -i "s/^brokers = .*/brokers = 127.0.0.1:$port/; s/^group = .*/group = $name/" "$T/$name.conf"
}
sasl="kafka.security.protocol = SASL_SSL"
config plain "$scram" "$sasl" "kafka.sasl.mechanism = PLAIN" "kafka.sasl.username = nowcast" "kafka.sasl.password = topsecret"
config scram256 "$scram" "$sasl" "kafka.sasl.mechanism = SCRAM-SHA-256" "kafka.sasl.username = nowcast" "kafka.sasl.password = topsecret"
config scram512 "$scram" "$sasl" "kafka.sasl.mechanism = SCRAM-SHA-512" "kafka.sasl.username = nowcast" "kafka.sasl.password = topsecret"
config mtls "$mtls" "kafka.security.protocol = SSL" "kafka.ssl.certificate.location = $T/client.pem" "kafka.ssl.key.location = $T/client.key"
tokens=("$sasl" "kafka.sasl.mechanism = OAUTHBEARER" "kafka.sasl.oauthbearer.method = oidc" "kafka.sasl.oauthbearer.client.id = nowcast"
	"kafka.sasl.oauthbearer.scope = read write" "kafka.https.ca.location = $T/ca.pem"
	"kafka.sasl.oauthbearer.token.endpoint.url = https://127.0.0.1:$(cat "$T/token.port")/token")
config oidc "$oidc" "${tokens[@]}" "kafka.sasl.oauthbearer.client.secret = topsecret"
config msk "$msk" "kafka.sasl.mechanism = AWS_MSK_IAM"

half=$(($(wc -l <"$world/stream.ndjson") / 2))
head -n $half "$world/stream.ndjson" >"$T/first"
tail -n +$((half + 1)) "$world/stream.ndjson" >"$T/second"
produce -p 2 "$T/first" >"$T/produced" || bail "cannot produce"
ways=(plain mtls oidc msk scram256 scram512)
pids=()
for way in "${ways[@]}"; do
	with=()
	[[ $way != scram* ]] || with=("${for_scram[@]}")
	start "$way" "${with[@]}" "$nowcast" run --config "$T/$way.conf"
	pids+=("$pid")
done
has_read() { # WAY: shellcheck disable=SC2086 # topics are words
	[ "$("$top/$B/tests/group_lag" -b "$BOOTSTRAP" -g "$1" $topics 2>/dev/null)" = 0 ]
}
for way in "${ways[@]}"; do ok "$way: logs in and reads" wait_for 60 has_read "$way" || tail -n 5 "$T/$way.log" | sed 's/^/# /'; done
more_tokens() { [ "$(grep -c ^200 "$T/token.log")" -ge 4 ]; } # the consumer's and the producer's, each made anew
ok "OAuth: a token is made anew before it expires, also where there is nothing to send" wait_for 20 more_tokens
letter='{\"eventVersion\":\"1.11\",\"eventSource\":\"bedrock.amazonaws.com\",\"eventName\":\"Converse\"}' # without a time
printf '{"topic":"cloudtrail","ts":1793577600000,"payload":"%s"}\n' "$letter" >>"$T/second"
produce -p 2 "$T/second" >"$T/produced" || bail "cannot produce"
for way in "${ways[@]}"; do ok "$way: goes on" wait_for 60 has_read "$way" || tail -n 5 "$T/$way.log" | sed 's/^/# /'; done
for i in "${!ways[@]}"; do
	way=${ways[i]}
	ok "$way: ends on SIGTERM" stop "${pids[i]}"
	is "$way: the producer of dead letters logs in as well" "$(timeout 20 kcat -C -e -q -b "$BOOTSTRAP" -t "dead-$way" -o beginning | sort -u)" "${letter//\\/}"
	settled_report "$T/$way.csv" --redis.prefix "$way"
	same_file "$way: the same figures" "$T/$way.csv" "$T/want.csv"
done
is "OAuth: the broker refused no token" "$(grep -ci 'authentication' "$T/oidc.log")" 0

# Who may not log in, and what is said.
doctor() { "$nowcast" doctor --config "$T/$1.conf" "${@:2}" >"$T/$1.doctor" 2>&1; }
AWS_SECRET_ACCESS_KEY=other doctor msk &
doctor plain --kafka.sasl.password other &
doctor scram512 --kafka.sasl.password other &
"${for_scram[@]}" "$nowcast" doctor --config "$T/scram256.conf" --kafka.sasl.password other >"$T/scram256.doctor" 2>&1 &
doctor oidc --kafka.sasl.oauthbearer.client.secret other &
doctor mtls --kafka.ssl.certificate.location= --kafka.ssl.key.location= &
wait $(jobs -p)
has "a wrong secret key of AWS" "$(cat "$T/msk.doctor")" 'FAIL +kafka.*(invalid_token|SASL)'
has "the broker says why" "$(cat "$T/kafka.log")" 'IamValidator: the signature is wrong'
has "a wrong password" "$(cat "$T/plain.doctor")" 'FAIL +kafka.*[Aa]uthentication failed.*Invalid username or password'
has "a wrong password for SCRAM${old_scram:+, and what else it may be}" "$(cat "$T/scram512.doctor")" "FAIL +kafka.*[Aa]uthentication failed.*SCRAM${old_scram:+.*librdkafka before 2.6.1}"
is "where SCRAM works, only the password is to blame" "$(grep -cE 'FAIL +kafka.*[Aa]uthentication failed.*SCRAM-SHA-256' "$T/scram256.doctor") $(grep -c 'librdkafka before' "$T/scram256.doctor")" "1 0"
has "a wrong secret of the client" "$(cat "$T/oidc.doctor")" 'FAIL +kafka.*token server https://127.0.0.1:[0-9]+/token gives no token \(status 401: invalid_client, unknown client\)'
has "no certificate" "$(cat "$T/mtls.doctor")" 'FAIL +kafka.*(certificate|SSL)'
finish
