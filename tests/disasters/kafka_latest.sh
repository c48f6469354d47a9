#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A group that begins at the newest message (kafka.auto.offset.reset = latest) begins there once. What comes later is read, also
# what comes while no worker runs and before the first message was read, and all of a partition that is added.
# Done: a worker that begins at the end is stopped before it has read anything; messages come; a partition is added
# Compared: figures with one replay of what came after the beginning
. "$(dirname "$0")/../lib.sh"
topics=raw

for i in $(seq 0 39); do call_record "$i"; done >"$T/all"
reference <(sed 1,10d "$T/all") "$T/want.csv" 2 # what came after the beginning

start_redis
start_broker 1
[ "$broker_kind" = kafka ] || skip_all "librdkafka's mock cluster adds no partitions"
write_config "$T/nowcast.conf" "kafka.auto.offset.reset = latest"
head -n 10 "$T/all" | produce -t raw - >/dev/null
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "a worker begins at the end, and commits that" wait_for 30 caught_up
ok "and ends" stop "$worker"
sed -n 11,20p "$T/all" | produce -t raw - >/dev/null
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "the next one reads what came meanwhile" wait_for 30 caught_up
ok "and ends" stop "$worker"
sed -n 21,30p "$T/all" | produce -t raw -a -p 2 - >/dev/null # half of them into a new partition
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "a partition that was added is read from its beginning" wait_for 30 caught_up
sed -n 31,40p "$T/all" | produce -t raw -p 2 - >/dev/null
ok "and on" wait_for 30 caught_up
ok "the worker ends on SIGTERM" stop "$worker"
settled_report "$T/got.csv"
same_file "nothing that came after the beginning is missing" "$T/got.csv" "$T/want.csv"
finish
