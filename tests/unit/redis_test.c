// SPDX-License-Identifier: Apache-2.0
// Replies of Redis: the fields of a hash in an order that does not depend on the server.
#include "store/redis.h"

#include <stdio.h>

#include "base/buf.h"
#include "store/redis_cluster.h"
#include "store/redis_wire.h"
#include "tests/redis_server.h"
#include "tests/tap.h"

enum { MANY = 1000 }; // fields: Redis keeps a hash of so many as a table, in an order of its own

static void test_fields_of_many(struct redis *r)
{
	struct err err = ERR_INIT;
	char name[16];
	for (int i = MANY; i-- > 0;) {
		snprintf(name, sizeof name, "%04d", i);
		redis_cmdz(r, "HSET", "many", name, name + 1, NULL);
	}
	redis_cmdz(r, "HGETALL", "many", NULL);
	if (!ok(redis_exec(r, &err), "a hash of many fields %s", err.msg))
		return;
	redis_sort_fields(r, MANY);
	int wrong = 0;
	for (size_t i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "%04zu", i);
		wrong += !str_is(redis_elem(r, MANY, 2 * i), name) ||
		         !str_is(redis_elem(r, MANY, 2 * i + 1), name + 1);
	}
	is_int(redis_len(r, MANY), 2 * MANY, "keeps its fields and values");
	is_int(wrong, 0, "and every value stays with its field, in their order");
}

static void test_fields_of_few(struct redis *r)
{
	struct err err = ERR_INIT;
	redis_cmdz(r, "HSET", "few", "b", "2", "ab", "1", "a", "", NULL);
	redis_cmdz(r, "HGETALL", "few", NULL);
	redis_cmdz(r, "HGETALL", "none", NULL);
	redis_cmdz(r, "GET", "none", NULL);
	redis_cmdz(r, "SADD", "set", "c", "a", "b", NULL);
	redis_cmdz(r, "SMEMBERS", "set", NULL);
	if (!ok(redis_exec(r, &err), "a small hash, and none %s", err.msg))
		return;
	for (size_t i = 1; i < 4; i++)
		redis_sort_fields(r, i);
	is_str(redis_elem(r, 1, 0).p, "a", "the shorter field is first");
	is_str(redis_elem(r, 1, 2).p, "ab", "of those that begin alike");
	is_str(redis_elem(r, 1, 5).p, "2", "the last one keeps its value");
	is_int(redis_len(r, 2) + redis_len(r, 3), 0, "nothing is sorted to nothing");
	redis_sort_members(r, 5);
	is_str(redis_elem(r, 5, 0).p, "a", "members of a set");
	is_str(redis_elem(r, 5, 1).p, "b", "are sorted");
	is_str(redis_elem(r, 5, 2).p, "c", "one by one");
}

static void test_socket(const char *url, const char *path, const char *password)
{
	struct err err = ERR_INIT;
	struct wire w;
	if (!ok(wire_init(&w, url, "", &err), "%s %s", url, err.msg))
		return;
	is_str(w.path, path, "its path");
	is_str(w.password ? w.password : "none", password, "its password");
	wire_release(&w);
}

static void test_sentinels(const char *url, const char *sentinels, const char *master, const char *password)
{
	struct err err = ERR_INIT;
	struct wire w;
	struct buf all = BUF_INIT;
	if (!ok(wire_init(&w, url, "", &err), "%s %s", url, err.msg))
		return;
	for (size_t i = 0; i < w.nsentinels; i++)
		buf_addf(&all, "%s ", w.sentinels[i]);
	is_str(all.data, sentinels, "its sentinels");
	is_str(w.master, master, "the name of the master");
	is_str(w.password ? w.password : "none", password, "the password");
	buf_release(&all);
	wire_release(&w);
}

static void test_wrong_sentinels(const char *url)
{
	struct err err = ERR_INIT;
	struct wire w;
	ok(!wire_init(&w, url, "", &err) && err.kind == ERR_CONFIG && strstr(err.msg, "/MASTER"), "%s is refused",
	   url);
}

static void test_iam(const char *iam, const char *url, const char *why)
{
	struct redis *r;
	struct err err = ERR_INIT;
	bool good = redis_open(&r, (struct redis_target){.url = url, .iam = iam}, &err);
	if (good)
		redis_close(r);
	ok(good ? !why : why && err.kind == ERR_CONFIG && strstr(err.msg, why), "redis.iam = %s with %s: %s", iam,
	   url, err.msg);
}

// 12739 is the vector of the Redis Cluster specification; the others are what CLUSTER KEYSLOT says.
static void test_slots(void)
{
	static const struct {
		const char *key;
		int slot;
	} keys[] = {{"123456789", 12739}, {"", 0}, {"{}a", 10875}, {"a{}{b}", 15033}, {"a{b", 13340},
	            {"a}b{c}", 7365}, {"{{a}}", 10276}, {"{nowcast:alerts}:lease", 7310},
	            {"nowcast:alerts", 7310}, {"nowcast:{111122223333/us-east-1}:due", 14266}};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		is_int(redis_slot(str_of(keys[i].key)), keys[i].slot, keys[i].key);
}

int main(void)
{
	struct redis_server server;
	struct redis *r;
	struct err err = ERR_INIT;
	if (!redis_server_start(&server))
		skip_all("no redis-server here");
	if (ok(redis_open(&r, (struct redis_target){.url = server.url}, &err), "Redis %s", err.msg)) {
		test_fields_of_many(r);
		test_fields_of_few(r);
		test_slots();
		test_socket("unix:///run/redis@1/redis.sock", "/run/redis@1/redis.sock", "none");
		test_socket("unix:/run/redis@1/redis.sock?db=2", "/run/redis@1/redis.sock", "none");
		test_socket("unix://:se/s@me@/run/redis.sock", "/run/redis.sock", "se/s@me");
		test_sentinels("redis+sentinel://:s/e@c@a:1,[::1]:2,c/m/3", "a:1 [::1]:2 c ", "m", "s/e@c");
		test_sentinels("rediss+sentinel://a/my master", "a ", "my master", "none");
		test_wrong_sentinels("redis+sentinel://a,b");
		test_wrong_sentinels("redis+sentinel:///m");
		test_wrong_sentinels("redis+sentinel://,,/m");
		test_wrong_sentinels("redis+sentinel://a:1,b:two/m");
		test_wrong_sentinels("redis+sentinel://a/");
		test_wrong_sentinels("redis+sentinel://a/m/x");
		test_iam("elasticache:us-east-1:orders", "rediss://ann@h", NULL);
		test_iam("elasticache-serverless:us-east-1:Orders", "rediss://ann:@h", NULL);
		test_iam("memorydb:cn-north-1:orders", "rediss+sentinel://ann@h/m", NULL);
		test_iam("", "redis://h", NULL);
		test_iam("elasticache:us-east-1:orders", "rediss://h", "the user in the URL");
		test_iam("elasticache:us-east-1:orders", "redis://ann@h", "in the clear");
		test_iam("elasticache:orders", "rediss://ann@h", "elasticache:REGION:NAME");
		test_iam("elasticache:us-east-1:", "rediss://ann@h", "elasticache:REGION:NAME");
		test_iam("dynamodb:us-east-1:orders", "rediss://ann@h", "elasticache:REGION:NAME");
		redis_close(r);
	}
	redis_server_stop(&server);
	return done();
}
