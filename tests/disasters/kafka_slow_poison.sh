#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each partition of a topic begins with a message that cannot be fetched, and the brokers are slow: to look for the messages
# behind takes longer than a member of a group may be silent.
# Done: messages too large to fetch at the head of six partitions, behind a network that takes a third of a second each way
# Compared: figures with one undisturbed replay; dead letters with what was too large
. "$(dirname "$0")/../lib.sh"
topics=raw
partitions=6

for i in $(seq 1 $partitions); do call_record "$i"; done >"$T/all"
reference "$T/all" "$T/want.csv" 2

start_redis
start_broker 1
[ "$broker_kind" = kafka ] || skip_all "librdkafka's mock cluster takes no large messages"
ok "a topic for large messages" kafka_admin create-topic raw $partitions max.message.bytes 60000000
{
	for _ in $(seq $partitions); do head -c 14300000 /dev/urandom | base64 -w 0; echo; done
	cat "$T/all"
} | produce -t raw -p $partitions -X message.max.bytes=60000000 -X batch.size=1000 - >/dev/null

# From now on the broker is reached through a slow network.
cat >"$T/slow.py" <<'END'
import asyncio, sys
async def copy(reader, writer, delay):
    while data := await reader.read(1 << 20):
        await asyncio.sleep(delay)
        writer.write(data)
        await writer.drain()
    writer.close()
async def serve(reader, writer):
    there, back = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    await asyncio.gather(copy(reader, back, 0.33), copy(there, writer, 0.33), return_exceptions=True)
async def main():
    await (await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[2]))).serve_forever()
asyncio.run(main())
END
free_port
slow=$port
start slow python3 "$T/slow.py" "$kafka_port" "$slow"
wait_for 10 listens "$slow"
stop "$broker_pid" KILL
sed -i "s|^advertised.listeners=PLAINTEXT://127.0.0.1:$kafka_port|advertised.listeners=PLAINTEXT://127.0.0.1:$slow|" "$T/kafka.properties"
restart_broker_kafka
write_config "$T/nowcast.conf" "message.bytes = 1MiB" "dead_letter.file = $T/dead.ndjson" "kafka.max.poll.interval.ms = 25000"
start worker "$nowcast" run --config "$T/nowcast.conf"
ok "the worker reads to the end" wait_for 300 caught_up
stop "$pid"
is "its group has not taken it for dead" "$(grep -c 'maximum poll interval' "$T/worker.log")" 0
is "each large message is a dead letter" "$(grep -o 'partition":[0-9]*' "$T/dead.ndjson" | sort -u | wc -l)" $partitions
settled_report "$T/got.csv"
same_file "and what is behind them counts" "$T/got.csv" "$T/want.csv"
finish
