// SPDX-License-Identifier: Apache-2.0
// Stands in for the sockets of a Redis, or of the nodes of a Redis Cluster, for the fuzz targets that include
// this: to each command that is sent, `script` says the reply.
#ifndef NOWCAST_TESTS_FUZZ_REDIS_H
#define NOWCAST_TESTS_FUZZ_REDIS_H

#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "store/schema.h"
#include "tests/fuzz/fuzz.h"

static struct input script;
static bool is_of_cluster; // HELLO says so, and CLUSTER SLOTS is answered

struct connection {
	struct buf replies;
	size_t replied;
};
static struct connection connections[64]; // by file descriptor
static struct buf replies;                // of the commands in hand

static void add_bulk(struct str s)
{
	buf_addf(&replies, "$%zu\r\n", s.len);
	buf_addstr(&replies, s);
	buf_adds(&replies, "\r\n");
}

static void add_array(unsigned n)
{
	buf_addf(&replies, "*%u\r\n", n);
	while (n-- > 0)
		add_bulk(take_text(&script));
}

static void answer(void)
{
	unsigned n = script.n ? take_byte(&script) : 0;
	switch (n % 8) {
	case 0:
		buf_adds(&replies, "$-1\r\n");
		return;
	case 1:
		buf_addf(&replies, ":%u\r\n", n / 8);
		return;
	case 2:
		add_bulk(take_text(&script));
		return;
	case 3:
		add_array(n / 8);
		return;
	case 4:
		buf_adds(&replies, "+OK\r\n");
		return;
	case 5:
		buf_adds(&replies, "-ERR no\r\n");
		return;
	case 6:
		buf_addf(&replies, "*%u\r\n", n / 8 % 4);
		for (unsigned i = n / 8 % 4; i > 0; i--)
			add_array(n / 32);
		return;
	case 7:
		buf_addstr(&replies, take_text(&script));
		return; // not the protocol, perhaps
	}
}

// Of CLUSTER SLOTS: mostly of its form.
static void answer_slots(void)
{
	static const char *const hosts[] = {"$9\r\n127.0.0.1\r\n", "$4\r\nnode\r\n", "$0\r\n\r\n", "$-1\r\n"};
	unsigned n = take_byte(&script);
	if (n % 4 == 0) {
		answer();
		return;
	}
	buf_addf(&replies, "*%u\r\n", n / 4 % 8);
	for (unsigned i = n / 4 % 8; i > 0; i--) {
		unsigned first = take_byte(&script) << 8 | take_byte(&script), port = take_byte(&script);
		unsigned last = take_byte(&script) << 8 | take_byte(&script), host = take_byte(&script);
		buf_addf(&replies, "*3\r\n:%u\r\n:%u\r\n*2\r\n%s:%u\r\n", first % 20000, last % 20000,
		         hosts[host % 4], port < 4 ? port * 65535 : port);
	}
}

// What a node of a cluster says to a command whose key it may not have.
static void answer_of_node(void)
{
	static const char *const words[] = {"MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN"};
	unsigned n = script.n ? take_byte(&script) : 0;
	if (n % 4 != 3) {
		answer();
		return;
	}
	buf_addf(&replies, "-%s ", words[n / 4 % 4]);
	buf_addstr(&replies, take_text(&script));
	buf_adds(&replies, "\r\n");
}

// The number of this line of the protocol, "*3\r\n"; *s then begins behind it.
static size_t read_count(struct str *s)
{
	size_t n = 0;
	struct str line = str_cut(s, '\n');
	assert(line.len > 2 && (line.p[0] == '*' || line.p[0] == '$'));
	for (size_t i = 1; i + 1 < line.len; i++)
		n = n * 10 + (size_t)(line.p[i] - '0');
	return n;
}

// Whole commands come in one piece, as long as they are small.
static void serve(struct str sent)
{
	while (sent.len) {
		struct str command = STR_NONE, key = STR_NONE;
		size_t args = read_count(&sent);
		for (size_t i = 0; i < args; i++) {
			struct str arg = {NULL, read_count(&sent)};
			arg.p = sent.p;
			sent.p += arg.len + 2, sent.len -= arg.len + 2;
			*(i == 0 ? &command : &key) = i < 2 ? arg : key;
		}
		if (getenv("FUZZ_SHOW"))
			fprintf(stderr, "%.*s %.*s\n", STR_ARG(command), STR_ARG(key));
		if (str_is(command, "SELECT"))
			buf_adds(&replies, "+OK\r\n");
		else if (str_is(command, "HELLO"))
			buf_adds(&replies, is_of_cluster ? "*2\r\n$4\r\nmode\r\n$7\r\ncluster\r\n"
			                                 : "-ERR unknown command\r\n");
		else if (is_of_cluster && str_is(command, "CLUSTER"))
			answer_slots();
		else if (str_is(command, "GET") && str_ends(key, STR("schema")))
			buf_addf(&replies, "$1\r\n%d\r\n", SCHEMA_VERSION);
		else if (str_is(command, "EXISTS"))
			buf_adds(&replies, ":0\r\n");
		else if (is_of_cluster)
			answer_of_node();
		else
			answer();
	}
}

static struct connection *connection_of(int fd)
{
	assert(fd >= 0 && (size_t)fd < sizeof connections / sizeof *connections);
	return &connections[fd];
}

int connect(int fd, const struct sockaddr *address, socklen_t n)
{
	(void)address, (void)n;
	connection_of(fd)->replied = 0;
	buf_clear(&connection_of(fd)->replies);
	return 0;
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	(void)flags;
	buf_clear(&replies);
	serve((struct str){p, n});
	if (replies.len)
		buf_addstr(&connection_of(fd)->replies, buf_str(&replies));
	return (ssize_t)n;
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
	struct connection *c = connection_of(fd);
	size_t left = c->replies.len - c->replied, take = left < n ? left : n;
	(void)flags;
	if (take)
		memcpy(p, c->replies.data + c->replied, take);
	c->replied += take;
	return (ssize_t)take; // 0: closed
}

#endif
