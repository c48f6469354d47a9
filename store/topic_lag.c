// SPDX-License-Identifier: Apache-2.0
#include "store/topic_lag.h"

#include <inttypes.h>

#include "store/keys.h"

// Field: "TOPIC PARTITION CLUSTER GROUP"; value: "SEEN MESSAGES ENDANGERED". A partition has one worker, and
// the next one overwrites what the last one told.
static void send_partition(struct redis *r, const struct positions *all, const struct position *p,
                           int64_t now_ms)
{
	struct buf field = BUF_INIT, value = BUF_INIT;
	buf_addf(&field, "%s %d %s %s", p->topic, p->partition, all->cluster ? all->cluster : "-", all->group);
	buf_addf(&value, "%" PRId64 " %" PRId64 " %" PRId64, now_ms, p->lag, p->endangered);
	redis_arg(r, buf_str(&field));
	redis_arg(r, buf_str(&value));
	buf_release(&field);
	buf_release(&value);
}

size_t topic_lag_queue(struct redis *r, struct buf *key, const char *prefix, const struct positions *p,
                       int64_t now_ms)
{
	int n = 0;
	for (size_t i = 0; i < p->n; i++)
		n += p->v[i].tell_lag;
	if (!n)
		return 0;
	struct str at = key_lag(key, prefix);
	redis_begin(r, 2 + 2 * n);
	redis_argz(r, "HSET");
	redis_arg(r, at);
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].tell_lag)
			send_partition(r, p, &p->v[i], now_ms);
	redis_begin(r, 3);
	redis_argz(r, "PEXPIRE");
	redis_arg(r, at);
	redis_argi(r, TOPIC_LAG_KEPT_MS);
	return 2;
}

// No character of a topic's name sorts before the space behind it, so fields of a topic lie side by side.
bool topic_lag_read(struct redis *r, const char *prefix, int64_t now_ms, struct arena *arena,
                    struct topic_lag **ret, size_t *ret_n, struct err *err)
{
	struct buf key = BUF_INIT;
	size_t n = 0;
	redis_cmd(r, 2, (struct str[]){STR("HGETALL"), key_lag(&key, prefix)});
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	redis_sort_fields(r, 0);
	struct topic_lag *v = arena_alloc(arena, (redis_len(r, 0) / 2 + 1) * sizeof *v);
	for (size_t i = 0; i + 1 < redis_len(r, 0); i += 2) {
		struct str field = redis_elem(r, 0, i), value = redis_elem(r, 0, i + 1);
		struct str topic = str_cut(&field, ' ');
		if (str_cut_count(&value) <= now_ms - TOPIC_LAG_KEPT_MS)
			continue;
		if (n == 0 || !str_is(topic, v[n - 1].topic))
			v[n++] = (struct topic_lag){.topic = arena_str(arena, topic).p};
		v[n - 1].partitions++;
		v[n - 1].messages += str_cut_count(&value);
		v[n - 1].endangered += str_cut_count(&value);
	}
	*ret = v;
	*ret_n = n;
	return true;
}
