// SPDX-License-Identifier: Apache-2.0
// Fills a topic with CloudTrail records of inference calls for the benchmark: generate [-b BOOTSTRAP -t TOPIC
// -p PARTITIONS] [-c CALLERS] [-a ACCOUNTS] [-e EVERY] [-m MINUTES] [-s SHARE] -n N. Without -b it prints
// them, one a line.
//
// Each record is a call of its own (distinct requestID and eventID), about 1.3 KB as CloudTrail writes them,
// by one of 50 principals (-c) in two accounts (-a) with one of four models, in order of time over six hours
// (-m). One in four (-e; 0: none) says its input and output tokens; the others wait for their metric, as in
// real trails. One record in SHARE is such a call; the others, of the same size, are what a trail of a whole
// account holds beside them. The same N gives the same bytes.
#include <getopt.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/when.h"

enum { RECORD_MAX = 4096 };

static const char *const models[] = {
	"us.anthropic.claude-sonnet-4-6",
	"global.anthropic.claude-haiku-4-5-20251001-v1:0",
	"amazon.nova-pro-v1:0",
	"us.anthropic.claude-opus-4-6-v1",
};
// What other services write, by source, name and parameters.
static const char *const others[][3] = {
	{"kms", "Decrypt", "\"encryptionContext\":{\"aws:s3:arn\":\"arn:aws:s3:::reports-archive/2026/11/02\"}"},
	{"dynamodb", "DescribeTable", "\"tableName\":\"orders-by-customer\""},
	{"ec2", "DescribeInstances", "\"instancesSet\":{},\"filterSet\":{\"items\":[{\"name\":\"vpc-id\"}]}"},
	{"s3", "GetObject", "\"bucketName\":\"reports-archive\",\"key\":\"2026/11/02/part-00017.parquet\""},
};
static const int64_t start_ms = INT64_C(1793577600000); // 2026-11-02T00:00:00Z

struct world {
	uint64_t records;
	unsigned callers, accounts, every; // one record in `every` says its tokens; 0: none does
	unsigned share; // one record in so many is a call of Bedrock
	int64_t minutes;
};

static uint64_t random_of(uint64_t x) // splitmix64: the number of a record is its seed
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static void uuid_of(uint64_t seed, char *out)
{
	uint64_t a = random_of(seed), b = random_of(~seed);
	sprintf(out, "%08x-%04x-4%03x-a%03x-%012" PRIx64, (unsigned)(a >> 32), (unsigned)(a >> 16) & 0xffff,
	        (unsigned)a & 0xfff, (unsigned)(b >> 52), b & UINT64_C(0xffffffffffff));
}

// 111122223333, 444455556666, then of 12 digits
static const char *account_of(unsigned number, char *out)
{
	uint64_t more = number * UINT64_C(333333333333) % UINT64_C(888877776667);
	sprintf(out, "%012" PRIu64, UINT64_C(111122223333) + more);
	return out;
}

static int write_record(const struct world *w, uint64_t i, char *out)
{
	uint64_t r = random_of(i * 4), span_ms = (uint64_t)w->minutes * MS_PER_MINUTE;
	unsigned who = (unsigned)(r % w->callers), role = who / 5;
	char account[24], time[WHEN_SIZE], request[40], event[40], called[80], tokens[80] = "";
	const char *source = "bedrock", *name = "Converse", *host = "bedrock-runtime", *parameters = called;
	account_of(who % w->accounts, account);
	snprintf(called, sizeof called, "\"modelId\":\"%s\"", models[(r >> 16) % 4]);
	when_format(start_ms + (int64_t)((__extension__(unsigned __int128) i * span_ms) / w->records), time);
	uuid_of(i * 4 + 1, request);
	uuid_of(i * 4 + 2, event);
	if (w->every && (r >> 32) % w->every == 0)
		snprintf(tokens, sizeof tokens, ",\"inputTokens\":%u,\"outputTokens\":%u",
		         (unsigned)(r >> 40 & 0xfff), (unsigned)(r >> 52 & 0x3ff));
	if (i % w->share) {
		const char *const *other = others[(r >> 16) % 4];
		source = host = other[0], name = other[1], parameters = other[2], *tokens = '\0';
	}
	return snprintf(
		out, RECORD_MAX,
		"{\"eventVersion\":\"1.11\",\"userIdentity\":{\"type\":\"AssumedRole\",\"principalId\":\"AROAEXAMPLEROLE%05u:session-%02u\","
		"\"arn\":\"arn:aws:sts::%s:assumed-role/app-backend-%u/session-%02u\",\"accountId\":\"%s\",\"accessKeyId\":\"ASIAEXAMPLEKEY%06u\","
		"\"sessionContext\":{\"sessionIssuer\":{\"type\":\"Role\",\"principalId\":\"AROAEXAMPLEROLE%05u\",\"arn\":\"arn:aws:iam::%s:role/service/app-backend-%u\","
		"\"accountId\":\"%s\",\"userName\":\"app-backend-%u\"},\"attributes\":{\"creationDate\":\"2026-11-01T23:50:00Z\",\"mfaAuthenticated\":\"false\"}}},"
		"\"eventTime\":\"%s\",\"eventSource\":\"%s.amazonaws.com\",\"eventName\":\"%s\",\"awsRegion\":\"us-east-1\",\"sourceIPAddress\":\"10.20.30.40\","
		"\"userAgent\":\"Boto3/1.40.1 md/Botocore#1.40.1 ua/2.1 os/linux#6.1.0 md/arch#x86_64 lang/python#3.12.3 md/pyimpl#CPython cfg/retry-mode#legacy\","
		"\"requestParameters\":{%s},\"responseElements\":null,\"additionalEventData\":{\"inferenceRegion\":\"us-east-1\"%s},"
		"\"requestID\":\"%s\",\"eventID\":\"%s\",\"readOnly\":true,\"eventType\":\"AwsApiCall\",\"managementEvent\":true,\"recipientAccountId\":\"%s\","
		"\"eventCategory\":\"Management\",\"tlsDetails\":{\"tlsVersion\":\"TLSv1.3\",\"cipherSuite\":\"TLS_AES_128_GCM_SHA256\","
		"\"clientProvidedHostHeader\":\"%s.us-east-1.amazonaws.com\"}}",
		role, who, account, role, who, account, who, role, account, role, account, role, time, source, name,
		parameters, tokens, request, event, account, host);
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "generate: %s: %s\n", what, why);
	exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
	char errstr[256];
	if (rd_kafka_conf_set(conf, key, value, errstr, sizeof errstr))
		die(key, errstr);
}

static rd_kafka_t *open_producer(const char *bootstrap)
{
	char errstr[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	set(conf, "bootstrap.servers", bootstrap);
	set(conf, "compression.codec", "lz4");
	set(conf, "linger.ms", "50");
	set(conf, "batch.size", "524288");
	set(conf, "batch.num.messages", "2000");
	set(conf, "enable.idempotence", "true"); // exactly N, whatever is retried
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, errstr, sizeof errstr);
	if (!rk)
		die("librdkafka", errstr);
	return rk;
}

static void send_records(const struct world *w, const char *bootstrap, const char *topic, int partitions)
{
	uint64_t bytes = 0;
	rd_kafka_t *rk = open_producer(bootstrap);
	char record[RECORD_MAX];
	for (uint64_t i = 0; i < w->records; i++) {
		size_t len = (size_t)write_record(w, i, record);
		bytes += len;
		rd_kafka_resp_err_t err;
		// Runs of 500 go to one partition, so that batches are full.
		while ((err = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic),
		                                RD_KAFKA_V_PARTITION((int32_t)(i / 500 % (uint64_t)partitions)),
		                                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
		                                RD_KAFKA_V_VALUE(record, len), RD_KAFKA_V_END)) ==
		       RD_KAFKA_RESP_ERR__QUEUE_FULL)
			rd_kafka_poll(rk, 100);
		if (err)
			die(topic, rd_kafka_err2str(err));
	}
	rd_kafka_resp_err_t err = rd_kafka_flush(rk, 300000);
	if (err)
		die("flush", rd_kafka_err2str(err));
	printf("%" PRIu64 " bytes_each\n", bytes / w->records);
	rd_kafka_destroy(rk);
}

static void print_records(const struct world *w)
{
	char record[RECORD_MAX];
	for (uint64_t i = 0; i < w->records; i++) {
		write_record(w, i, record);
		puts(record);
	}
	if (fflush(stdout) || ferror(stdout))
		die("stdout", "cannot write");
}

int main(int argc, char **argv)
{
	const char *bootstrap = NULL, *topic = NULL;
	struct world w = {.callers = 50, .accounts = 2, .every = 4, .minutes = 360, .share = 1};
	int partitions = 1;
	for (int c; (c = getopt(argc, argv, "b:t:p:c:a:e:m:s:n:")) != -1;) {
		if (c == 'b')
			bootstrap = optarg;
		else if (c == 't')
			topic = optarg;
		else if (c == 'p')
			partitions = atoi(optarg);
		else if (c == 'c')
			w.callers = (unsigned)atoi(optarg);
		else if (c == 'a')
			w.accounts = (unsigned)atoi(optarg);
		else if (c == 'e')
			w.every = (unsigned)atoi(optarg);
		else if (c == 'm')
			w.minutes = atoi(optarg);
		else if (c == 's')
			w.share = (unsigned)atoi(optarg);
		else if (c == 'n')
			w.records = strtoull(optarg, NULL, 10);
	}
	if (!bootstrap != !topic || !w.records || partitions < 1 || !w.callers || !w.accounts || w.minutes < 1 ||
	    !w.share) {
		fprintf(
			stderr,
			"usage: generate [-b BOOTSTRAP -t TOPIC -p PARTITIONS] [-c CALLERS] [-a ACCOUNTS] [-e EVERY] [-m MINUTES] [-s SHARE] -n N\n");
		return 2;
	}
	if (bootstrap)
		send_records(&w, bootstrap, topic, partitions);
	else
		print_records(&w);
	return 0;
}
