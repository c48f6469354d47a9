// SPDX-License-Identifier: Apache-2.0
// The producer of dead letters. A send returns when the brokers have answered for each letter: only then may
// the offset of the message be committed. The producer is idempotent, so its retries make no duplicates.
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "ingest/kafka_priv.h"

enum { ANSWER_MS = 30000, IN_FLIGHT = -1 };

struct kafka_producer {
	rd_kafka_t *rk;
	struct kafka_hooks hooks;
};

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	(void)rk;
	(void)opaque;
	*(int *)m->_private = m->err;
}

bool kafka_producer_open(struct kafka_producer **ret, const struct conf *conf,
                         const struct kafka_hooks *hooks, struct err *err)
{
	struct kafka_producer *p = xcalloc(1, sizeof *p);
	p->hooks = *hooks;
	p->hooks.conf = conf;
	rd_kafka_conf_t *k = kafka_conf_producer(conf, &p->hooks, err);
	if (k)
		rd_kafka_conf_set_dr_msg_cb(k, on_delivery);
	p->rk = kafka_client_new(RD_KAFKA_PRODUCER, k, err);
	if (!p->rk) {
		free(p);
		return false;
	}
	*ret = p;
	return true;
}

void kafka_producer_close(struct kafka_producer *p)
{
	if (!p)
		return;
	rd_kafka_destroy(p->rk); // kafka_producer_send leaves nothing in flight
	free(p);
}

static void add_header(rd_kafka_headers_t *h, const char *name, struct str value)
{
	rd_kafka_header_add(h, name, -1, value.p ? value.p : "", (ssize_t)value.len);
}

static rd_kafka_headers_t *headers_of(const struct dead_letter *d)
{
	rd_kafka_headers_t *h = rd_kafka_headers_new(7);
	char number[24];
	add_header(h, "reason", str_of(d->reason));
	add_header(h, "topic", d->origin.topic);
	snprintf(number, sizeof number, "%d", d->origin.partition);
	add_header(h, "partition", str_of(number));
	snprintf(number, sizeof number, "%lld", (long long)d->origin.offset);
	add_header(h, "offset", str_of(number));
	snprintf(number, sizeof number, "%d", d->index);
	add_header(h, "index", str_of(number));
	if (d->origin.path)
		add_header(h, "file", str_of(d->origin.path));
	return h;
}

static rd_kafka_resp_err_t produce_letter(struct kafka_producer *p, const char *topic,
                                          const struct dead_letter *d, int *answer)
{
	for (int64_t waited = 0;; waited += 100) {
		rd_kafka_headers_t *headers = headers_of(d);
		rd_kafka_resp_err_t code =
			rd_kafka_producev(p->rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
		                      RD_KAFKA_V_VALUE((void *)d->data.p, d->data.len), RD_KAFKA_V_HEADERS(headers),
		                      RD_KAFKA_V_OPAQUE(answer), RD_KAFKA_V_END);
		if (code)
			rd_kafka_headers_destroy(headers); // on success they belong to the message
		if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || waited >= ANSWER_MS)
			return code;
		rd_kafka_poll(p->rk, 100);
	}
}

static bool check_answer(const char *topic, int answer, bool *ret_too_large, struct err *err)
{
	switch (answer) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		return true;
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
		*ret_too_large = true;
		return true;
	default:
		return err_set(err, ERR_RETRY, "dead_letter.topic %s: not confirmed: %s", topic,
		               answer == IN_FLIGHT ? "no answer from the broker"
		                                   : rd_kafka_err2str((rd_kafka_resp_err_t)answer));
	}
}

bool kafka_producer_send(struct kafka_producer *p, const char *topic, const struct dead_letter *letters,
                         size_t n, bool *ret_too_large, struct err *err)
{
	assert(n > 0);
	int *answers = xcalloc(n, sizeof *answers);
	bool good = true;
	for (size_t i = 0; i < n; i++) {
		answers[i] = IN_FLIGHT;
		rd_kafka_resp_err_t code = produce_letter(p, topic, &letters[i], &answers[i]);
		if (code)
			answers[i] = code;
	}
	if (rd_kafka_flush(p->rk, ANSWER_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) {
		// Delivery reports write into `answers`: wait until none is in flight before that is freed.
		rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
		while (rd_kafka_flush(p->rk, 1000) == RD_KAFKA_RESP_ERR__TIMED_OUT)
			;
	}
	for (size_t i = 0; i < n; i++) {
		ret_too_large[i] = false;
		good = check_answer(topic, answers[i], &ret_too_large[i], err) && good;
	}
	free(answers);
	return good;
}
