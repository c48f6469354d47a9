// SPDX-License-Identifier: Apache-2.0
// Stands in for the sockets of a Redis, for the one fuzz target that includes this: to each command that is
// sent, `script` says the reply.
#ifndef NOWCAST_TESTS_FUZZ_REDIS_H
#define NOWCAST_TESTS_FUZZ_REDIS_H

#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "store/schema.h"
#include "tests/fuzz/fuzz.h"

static struct input script;
static struct buf replies;
static size_t replied;

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
			buf_adds(&replies, "-ERR unknown command\r\n"); // no node of a cluster
		else if (str_is(command, "GET") && str_ends(key, STR("schema")))
			buf_addf(&replies, "$1\r\n%d\r\n", SCHEMA_VERSION);
		else if (str_is(command, "EXISTS"))
			buf_adds(&replies, ":0\r\n");
		else
			answer();
	}
}

int connect(int fd, const struct sockaddr *address, socklen_t n)
{
	(void)fd, (void)address, (void)n;
	replied = 0;
	buf_clear(&replies);
	return 0;
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	(void)fd, (void)flags;
	serve((struct str){p, n});
	return (ssize_t)n;
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
	size_t left = replies.len - replied, take = left < n ? left : n;
	(void)fd, (void)flags;
	if (take)
		memcpy(p, replies.data + replied, take);
	replied += take;
	return (ssize_t)take; // 0: closed
}

#endif
