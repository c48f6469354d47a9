#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A message that is larger than the client may fetch becomes a dead letter that names its offset, and its partition goes on;
# so do several in one batch.
# Done: messages beyond what the client fetches are among the others, alone and in a batch
# Compared: figures with one undisturbed replay; dead letters with the offsets of the large messages
. "$(dirname "$0")/../lib.sh"
topics="raw heads"

for i in $(seq 0 32); do call_record "$i"; done >"$T/all"
large() { head -c "$1" /dev/urandom | base64 -w 0; echo; } # BYTES, a third more as text

reference "$T/all" "$T/want.csv" 2

start_redis
start_broker 1
[ "$broker_kind" = kafka ] || skip_all "librdkafka's mock cluster takes no large messages"
ok "a topic for large messages" kafka_admin create-topic raw 1 max.message.bytes 60000000
write_config "$T/nowcast.conf" "message.bytes = 1MiB" "dead_letter.topic = dead"
head -n 10 "$T/all" | produce -t raw - >/dev/null
large 18000000 | produce -t raw -X message.max.bytes=60000000 - >/dev/null
sed -n 11,20p "$T/all" | produce -t raw - >/dev/null
{ large 9000000; large 9000000; large 10; } | produce -t raw -X message.max.bytes=60000000 -X batch.size=60000000 -X linger.ms=2000 - >/dev/null
sed -n 21,30p "$T/all" | produce -t raw - >/dev/null
ok "a topic whose partitions begin with one" kafka_admin create-topic heads 3 max.message.bytes 60000000
{ for _ in 1 2 3; do large 18000000; done; sed -n 31,33p "$T/all"; } | produce -t heads -p 3 -X message.max.bytes=60000000 -X batch.size=1000 - >/dev/null
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "the worker reads to the end" wait_for 120 caught_up
ok "it ends on SIGTERM" stop "$worker"
settled_report "$T/got.csv"
same_file "the messages around them count" "$T/got.csv" "$T/want.csv"
timeout 30 kcat -C -e -q -b "$BOOTSTRAP" -t dead -o beginning -f '%h\n' >"$T/headers" 2>/dev/null
has "the first is a dead letter with its offset" "$(grep topic=raw "$T/headers" | head -n 1)" 'reason=1 messages from this offset on cannot be fetched.*topic=raw,partition=0,offset=10,'
has "those of a batch are one" "$(grep topic=raw "$T/headers" | sed -n 2p)" 'reason=3 messages from this offset on.*offset=21,'
is "and so is the first message of each partition" "$(grep -c 'reason=1 messages from this offset on.*topic=heads,partition=[012],offset=0,' "$T/headers")" 3
is "and there are no more" "$(wc -l <"$T/headers")" 5
has "doctor counts them" "$("$nowcast" doctor --config "$T/nowcast.conf" 2>&1)" 'warn +dead +5 dead letters `limit`'
finish
