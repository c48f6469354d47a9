// SPDX-License-Identifier: Apache-2.0
// A consumer as one writes it with kafkajs, for speed: a batch at a time, added up before it is written, one pipeline a batch. It counts
// calls by caller, model and minute in the hash `calls`, and records in `seen`.
const {Kafka, CompressionTypes, CompressionCodecs, logLevel} = require('kafkajs');
const lz4 = require('lz4-napi');
const Redis = require('ioredis').default ?? require('ioredis');

CompressionCodecs[CompressionTypes.LZ4] = () => ({
	compress: encoder => lz4.compressFrame(encoder.buffer),
	decompress: buffer => lz4.decompressFrame(buffer),
});

const redis = new Redis(Number(process.env.REDIS_PORT), '127.0.0.1');
const kafka = new Kafka({brokers: [process.env.BOOTSTRAP], logLevel: logLevel.ERROR});
const consumer = kafka.consumer({groupId: 'node', maxBytesPerPartition: 3 << 20, maxBytes: 12 << 20, maxWaitTimeInMs: 100});

async function count({batch}) {
	const sums = new Map();
	for (const message of batch.messages) {
		const record = JSON.parse(message.value);
		const key = `${record.userIdentity.arn}|${record.requestParameters.modelId}|${record.eventTime.slice(0, 16)}`;
		sums.set(key, (sums.get(key) ?? 0) + 1);
	}
	const pipeline = redis.pipeline();
	for (const [key, n] of sums) pipeline.hincrby('calls', key, n);
	pipeline.incrby('seen', batch.messages.length);
	await pipeline.exec();
}

(async () => {
	await consumer.connect();
	await consumer.subscribe({topic: 'cloudtrail', fromBeginning: true});
	await consumer.run({eachBatch: count, partitionsConsumedConcurrently: 4, autoCommitInterval: 1000});
})();
