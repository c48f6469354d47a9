// SPDX-License-Identifier: Apache-2.0
// Replies of the nodes of a Redis Cluster: CLUSTER SLOTS, MOVED, ASK, and what else they say
// (tests/fuzz/redis.h).
// Whatever these hold, a pipeline ends: with a reply a command, or with a reason.
// Longest input: 512 bytes.
#include <netdb.h>
#include <netinet/in.h>
#include <time.h>

#include "store/redis_cluster.h"
#include "tests/fuzz/redis.h"

static const struct redis_target target = {"redis://127.0.0.1:1", NULL, "n", NULL};

int nanosleep(const struct timespec *request, struct timespec *rest) // the waits for a slot that moves
{
	(void)request, (void)rest;
	return 0;
}

// Every name is the same host: no name is looked up.
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **ret)
{
	static struct sockaddr_in at = {.sin_family = AF_INET};
	static struct addrinfo one = {
		.ai_family = AF_INET, .ai_addrlen = sizeof at, .ai_addr = (struct sockaddr *)&at};
	(void)host, (void)port, (void)hints;
	*ret = &one;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

static bool look_at_master(struct redis *master, void *user, struct err *err)
{
	size_t *seen = user;
	(*seen)++;
	redis_cmdz(master, "PING", NULL);
	return redis_exec(master, err);
}

static void ask(struct redis *r, bool is_script)
{
	static const char *const keys[] = {"a", "b", "{a}c", "d"};
	struct err err = ERR_INIT;
	size_t n = sizeof keys / sizeof *keys;
	for (size_t i = 0; i < n; i++) {
		if (i == 2)
			redis_barrier(r);
		if (is_script)
			redis_cmdz(r, "EVALSHA", "x", "1", keys[i], NULL);
		else
			redis_cmdz(r, "GET", keys[i], NULL);
	}
	redis_cmdz(r, "PING", NULL);
	if (!redis_exec(r, &err)) {
		check_refusal(&err);
		return;
	}
	assert(redis_count(r) == n + 1);
	for (size_t i = 0; i <= n; i++)
		assert(redis_str(r, i).len < 1 << 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct redis *r;
	struct err err = ERR_INIT;
	size_t masters = 0;
	script = (struct input){data, size};
	is_of_cluster = true;
	unsigned how = take_byte(&script);
	if (!redis_open(&r, target, &err))
		abort();
	redis_keep_whole(r, how & 1);
	ask(r, false);
	ask(r, how & 2);
	if (!redis_each_master(r, look_at_master, &masters, &err))
		check_refusal(&err);
	redis_close(r);
	return 0;
}
