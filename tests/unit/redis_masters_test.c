// SPDX-License-Identifier: Apache-2.0
// Masters of a Redis Cluster that are lost between two pipelines or in one, or hang, and answers to CLUSTER
// SLOTS that cannot be. One server, which says
// OK to everything, is two masters by two spellings of its address (a fresh root knows no "localhost").
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/when.h"
#include "store/redis_cluster.h"
#include "store/redis_priv.h"
#include "tests/tap.h"

static int port;
static const char *volatile slots_reply; // NULL: two masters
static volatile bool hangs;              // PING is not answered
static volatile int hang_ups;            // so many commands of the key "drop" end their connection

static void answer(int fd, const char *command)
{
	char slots[200];
	const char *reply = "+OK\r\n", *other = slots_reply;
	if (strcmp(command, "HELLO") == 0)
		reply = "*2\r\n$4\r\nmode\r\n$7\r\ncluster\r\n";
	if (strcmp(command, "CLUSTER") == 0) {
		snprintf(slots, sizeof slots,
		         "*2\r\n*3\r\n:0\r\n:8191\r\n*2\r\n$9\r\n127.0.0.1\r\n:%d\r\n"
		         "*3\r\n:8192\r\n:16383\r\n*2\r\n$5\r\n127.1\r\n:%d\r\n",
		         port, port);
		reply = other ? other : slots;
	}
	(void)!write(fd, reply, strlen(reply));
}

// A command is lines: how many words, then of each its length and itself.
static void *serve_one(void *fd)
{
	char line[200], word[2][200];
	FILE *f = fdopen((int)(intptr_t)fd, "r");
	while (f && fgets(line, sizeof line, f)) {
		long words = strtol(line + 1, NULL, 10);
		word[1][0] = 0;
		for (long i = 0; i < words && fgets(line, sizeof line, f) && fgets(line, sizeof line, f); i++)
			if (i < 2)
				snprintf(word[i], sizeof word[i], "%.*s", (int)strcspn(line, "\r"), line);
		if (strcmp(word[1], "drop") == 0 && hang_ups > 0) {
			hang_ups--;
			break;
		}
		while (strcmp(word[0], "PING") == 0 && hangs)
			usleep(1000);
		answer((int)(intptr_t)fd, word[0]);
	}
	if (f)
		fclose(f);
	return NULL;
}

static void *serve(void *listener)
{
	for (int fd; (fd = accept((int)(intptr_t)listener, NULL, NULL)) >= 0;) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, serve_one, (void *)(intptr_t)fd) == 0)
			pthread_detach(thread);
	}
	return NULL;
}

static bool start_server(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	pthread_t thread;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&at, size) < 0 || listen(fd, 10) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &size) < 0)
		return false;
	port = ntohs(at.sin_port);
	return pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) == 0;
}

static bool ping(struct redis *r, const char *prefix, struct err *err)
{
	(void)prefix;
	redis_cmdz(r, "PING", NULL);
	return redis_exec(r, err);
}

static bool look_at_master(struct redis *master, void *user, struct err *err)
{
	int *several = user;
	bool good = ping(master, "", err);
	*several += master->cluster != NULL;
	return good;
}

static void test_barrier(struct redis *r)
{
	struct err err = ERR_INIT;
	redis_disconnect(r);
	for (const char *key = "abcd"; *key; key++) {
		redis_cmdz(r, "GET", (char[]){*key, 0}, NULL);
		if (*key == 'c')
			redis_barrier(r);
	}
	ok(redis_exec(r, &err), "a pipeline with a barrier waits for what the connecting sends: %s", err.msg);
	is_int(redis_count(r), 4, "and has all its replies");
}

static void test_each_master(struct redis *r)
{
	struct err err = ERR_INIT;
	int several = 0;
	redis_cluster_disconnect(r->cluster);
	ok(redis_each_master(r, look_at_master, &several, &err), "each master is asked: %s", err.msg);
	is_int(several, 0, "and is one master, also after it was connected to again");
}

// Facts, and then the position that says so: two pipelines, or two parts of one.
static bool write_batch(struct redis *r, bool in_one, struct err *err)
{
	redis_cmdz(r, "SET", "a", "1", NULL);
	if (in_one)
		redis_barrier(r);
	else if (!redis_exec(r, err))
		return false;
	redis_cmdz(r, "SET", "drop", "1", NULL);
	return redis_exec(r, err);
}

static void test_whole(struct redis *r)
{
	for (int in_one = 0; in_one < 2; in_one++) {
		struct err err = ERR_INIT;
		hang_ups = 1;
		ok(write_batch(r, in_one, &err), "what belongs to nothing is sent again to whom has its slots: %s",
		   err.msg);
		hang_ups = 1;
		redis_keep_whole(r, true);
		ok(!write_batch(r, in_one, &err), "what belongs to a batch is not, when a master has gone");
		ok(err.kind == ERR_RETRY && strstr(err.msg, "all of the batch"), "and the batch is to be: %s",
		   err.msg);
		err_clear(&err);
		ok(write_batch(r, in_one, &err), "which works: %s", err.msg);
		redis_keep_whole(r, false);
	}
}

static void test_slots(const char *url)
{
	static const struct {
		const char *reply, *says;
	} cases[] = {
		{"*0\r\n", "no master has a slot"},
		{"+OK\r\n", "CLUSTER SLOTS"},
		{"*1\r\n:7\r\n", "a range is not"},
		{"*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\nh\r\n:1\r\n", "a range is not"},
		{"*1\r\n*3\r\n:5\r\n:3\r\n*2\r\n$1\r\nh\r\n:1\r\n", "a range is not"},
		{"*1\r\n*3\r\n:0\r\n:3\r\n*2\r\n$1\r\nh\r\n:0\r\n", "a range is not"},
		{"*2\r\n*3\r\n:0\r\n:3\r\n*2\r\n$1\r\nh\r\n:1\r\n*1\r\n:4\r\n", "a range is not"},
	};
	struct redis *r;
	struct err err = ERR_INIT;
	if (!redis_open(&r, (struct redis_target){.url = url, .prefix = "nowcast"}, &err))
		return;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		slots_reply = cases[i].reply;
		ok(!ping(r, "", &err) && err.kind == ERR_RETRY && strstr(err.msg, cases[i].says),
		   "slots that cannot be: %s", err.msg);
		err_clear(&err);
	}
	slots_reply = NULL;
	ok(ping(r, "", &err) && r->cluster, "once they are right it goes on: %s", err.msg);
	slots_reply = cases[0].reply;
	hang_ups = 1;
	redis_cmdz(r, "GET", "drop", NULL);
	ok(!redis_exec(r, &err) && strstr(err.msg, "no master has a slot"),
	   "a cluster that has lost all slots: %s", err.msg);
	err_clear(&err);
	slots_reply = NULL;
	ok(ping(r, "", &err) && r->cluster, "and has them again: %s", err.msg);
	redis_close(r);
}

static void test_silence(const char *url)
{
	enum { LIMIT_MS = 400 };
	struct redis *r;
	struct err err = ERR_INIT;
	if (!redis_open(&r, (struct redis_target){.url = url, .prefix = "nowcast"}, &err))
		return;
	redis_limit(r, LIMIT_MS);
	ok(ping(r, "", &err), "both masters answer: %s", err.msg);
	for (int connected = 1; connected >= 0; connected--) {
		hangs = true;
		int64_t began = when_ticks_ms();
		ok(!ping(r, "", &err) && err.kind == ERR_RETRY && strstr(err.msg, "timed out"),
		   "masters that hang: %s", err.msg);
		int64_t took = when_ticks_ms() - began;
		ok(took >= LIMIT_MS - 50 && took < 2 * LIMIT_MS, "are waited for once, not one after the other: %d ms",
		   (int)took);
		err_clear(&err);
		hangs = false;
		ok(ping(r, "", &err), "once they answer it goes on: %s", err.msg);
		redis_disconnect(r);
	}
	redis_close(r);
}

int main(void)
{
	char url[64];
	struct redis *r;
	struct err err = ERR_INIT;
	if (!start_server())
		skip_all("no socket here");
	snprintf(url, sizeof url, "redis://127.0.0.1:%d", port);
	if (!redis_open(&r, (struct redis_target){.url = url, .prefix = "nowcast"}, &err))
		return 1;
	redis_limit(r, 3000);
	redis_on_connect(r, ping);
	if (ok(ping(r, "", &err) && r->cluster, "a cluster of two masters: %s", err.msg)) {
		test_barrier(r);
		test_each_master(r);
		test_whole(r);
		test_slots(url);
		test_silence(url);
	}
	redis_close(r);
	return done();
}
