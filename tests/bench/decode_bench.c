// SPDX-License-Identifier: Apache-2.0
// How many CloudTrail records of 1.3 KB a second decoder_message takes, bare and in lists, and how fast it
// drops those that are not ours. One thread, in CPU time, so that what else runs counts little; prints
// records/s and ns a record.
#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "ingest/decode.h"
#include "ingest/json.h"

static const char record[] =
	"{\"eventVersion\":\"1.11\",\"userIdentity\":{\"type\":\"AssumedRole\",\"principalId\":\"AROATESTROLE:ann@example.com\","
	"\"arn\":\"arn:aws:sts::111122223333:assumed-role/llm-gateway/ann@example.com\",\"accountId\":\"111122223333\","
	"\"accessKeyId\":\"ASIATESTKEY1234567\",\"sessionContext\":{\"sessionIssuer\":{\"type\":\"Role\",\"principalId\":\"AROATESTROLE\","
	"\"arn\":\"arn:aws:iam::111122223333:role/platform/llm-gateway\",\"accountId\":\"111122223333\",\"userName\":\"llm-gateway\"},"
	"\"attributes\":{\"creationDate\":\"2026-11-02T04:59:58Z\",\"mfaAuthenticated\":\"false\"}}},\"eventTime\":\"2026-11-02T05:06:07Z\","
	"\"eventSource\":\"%s.amazonaws.com\",\"eventName\":\"Converse\",\"awsRegion\":\"us-east-1\",\"sourceIPAddress\":\"192.0.2.7\","
	"\"userAgent\":\"aws-sdk-go/1.40.1 md/core#1.40.1 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/go#1.23 cfg/retry-mode#standard\","
	"\"requestParameters\":{\"modelId\":\"us.anthropic.claude-sonnet-4-6\"},\"responseElements\":null,"
	"\"additionalEventData\":{\"inferenceRegion\":\"us-east-2\",\"inputTokens\":944,\"outputTokens\":126},"
	"\"requestID\":\"5b1d5fd2-6a1f-4f3e-9a53-0123456789ab\",\"eventID\":\"0f6f7c5e-22a1-4d0a-8b7e-ba9876543210\",\"readOnly\":true,"
	"\"eventType\":\"AwsApiCall\",\"managementEvent\":true,\"recipientAccountId\":\"111122223333\",\"eventCategory\":\"Management\","
	"\"tlsDetails\":{\"tlsVersion\":\"TLSv1.3\",\"cipherSuite\":\"TLS_AES_128_GCM_SHA256\","
	"\"clientProvidedHostHeader\":\"%s.us-east-1.amazonaws.com\"}}";

static uint64_t seen;

static void on_record(void *user, const struct record *r)
{
	(void)user;
	seen += r->kind == RECORD_CALL;
}

static void on_fault(void *user, enum fault_kind kind, int index, struct str part, const char *reason)
{
	(void)user, (void)kind, (void)index, (void)part;
	printf("fault: %s\n", reason);
}

static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void measure(const char *what, const struct buf *message, int records)
{
	struct decoder *d = decoder_new((struct decode_limits){64 << 20, 64, 0}, on_record, on_fault, NULL);
	double start = now(), took;
	long n = 0;
	do {
		for (int i = 0; i < 100; i++)
			decoder_message(d, message->data, message->len);
		n += 100L * records;
		took = now() - start;
	} while (took < 1.0);
	printf("%-28s %5zu bytes  %9.0f records/s  %5.0f ns each  (%llu calls)\n", what,
	       message->len / (size_t)records, (double)n / took, took / (double)n * 1e9,
	       (unsigned long long)seen);
	seen = 0;
	decoder_free(d);
}

// What the parser alone takes, to tell a slow machine from a slow decoder.
static void measure_parser(const struct buf *message)
{
	struct json_parser *p = json_parser_new();
	struct json root;
	const char *why;
	double start = now(), took;
	long n = 0;
	do {
		for (int i = 0; i < 1000; i++)
			n += json_parse(p, buf_str(message), &root, &why);
		took = now() - start;
	} while (took < 1.0);
	printf("%-28s %5zu bytes  %9.0f records/s  %5.0f ns each\n", "simdjson alone", message->len,
	       (double)n / took, took / (double)n * 1e9);
	json_parser_free(p);
}

// Messages of others as shippers write them: a log line of a container with Kubernetes around it, syslog,
// OpenTelemetry, a stream's record in base64.
static void measure_others(void)
{
	static const char *const messages[][2] = {
		{"not ours, Kubernetes log",
	     "{\"@timestamp\":\"2026-11-02T05:06:07.123Z\",\"log\":\"{\\\"level\\\":\\\"info\\\",\\\"msg\\\":\\\"order placed\\\",\\\"data\\\":{\\\"id\\\":17,"
	     "\\\"user\\\":\\\"5b1d5fd2-6a1f-4f3e-9a53-0123456789ab\\\"}}\\n\",\"stream\":\"stdout\",\"kubernetes\":{\"pod_name\":\"shop-7c9d\",\"namespace_name\":"
	     "\"shop\",\"container_hash\":\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\",\"labels\":{\"app\":\"shop\"}}}"},
		{"not ours, syslog",
	     "<134>1 2026-11-02T05:06:07Z host sshd 17 - - Accepted publickey for ann from 192.0.2.7 port 40000 ssh2: ED25519 SHA256:x"},
		{"not ours, OpenTelemetry",
	     "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"shop\"}}]},\"scopeLogs\":[{\"scope\":"
	     "{\"name\":\"x\"},\"logRecords\":[{\"timeUnixNano\":\"1793595967000000000\",\"severityText\":\"INFO\",\"body\":{\"stringValue\":\"order placed\"},"
	     "\"attributes\":[{\"key\":\"order\",\"value\":{\"intValue\":\"17\"}}],\"traceId\":\"5b8efff798038103d269b633813fc60c\"}]}]}]}"},
		{"not ours, base64 of text",
	     "{\"Records\":[{\"kinesis\":{\"partitionKey\":\"1\",\"data\":\"PDEzND4xIDIwMjYtMTEtMDJUMDU6MDY6MDdaIGhvc3Qgc3NoZCAxNyAtIC0gQWNjZXB0ZWQgcHVibGlja2V5IGZvciBh"
	     "bm4gZnJvbSAxOTIuMC4yLjcgcG9ydCA0MDAwMCBzc2gy\"},\"eventSource\":\"aws:kinesis\"}]}"},
	};
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
		struct buf one = BUF_INIT;
		buf_adds(&one, messages[i][1]);
		measure(messages[i][0], &one, 1);
		buf_release(&one);
	}
}

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
int main(void)
{
	struct buf one = BUF_INIT, list = BUF_INIT, lines = BUF_INIT, other = BUF_INIT;
	buf_addf(&one, record, "bedrock", "bedrock-runtime");
	buf_addf(&other, record, "lambda", "lambda");
	buf_adds(&list, "{\"Records\":[");
	for (int i = 0; i < 1000; i++) {
		buf_addf(&list, "%s%s", i ? "," : "", one.data);
		buf_addf(&lines, "%s\n", one.data);
	}
	buf_adds(&list, "]}");
	measure_parser(&one);
	measure("a call, bare", &one, 1);
	measure("calls in a list of 1000", &list, 1000);
	measure("calls, 1000 lines", &lines, 1000);
	measure("not ours, bare", &other, 1);
	measure_others();
	return 0;
}
