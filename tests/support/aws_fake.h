// SPDX-License-Identifier: Apache-2.0
// AWS in the process of a test, with a clock that the test sets forward: for what takes hours, which moto
// cannot show. It checks no signatures and knows no operation: the test answers each request.
#ifndef NOWCAST_TESTS_AWS_FAKE_H
#define NOWCAST_TESTS_AWS_FAKE_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

static _Atomic long long aws_fake_ahead_ms; // of the machine's clocks, both of them

// In place of the one of libc.
int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int status = (int)syscall(SYS_clock_gettime, clock, ret);
	if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC)) {
		long long ms = ret->tv_nsec / 1000000 + atomic_load(&aws_fake_ahead_ms);
		ret->tv_sec += ms / 1000;
		ret->tv_nsec = ret->tv_nsec % 1000000 + ms % 1000 * 1000000;
	}
	return status;
}

struct aws_fake_request {
	const char *operation; // of X-Amz-Target, or the path with its query
	const char *head, *body;
};

// Appends the body of an answer. Returns the status; `headers`: further ones, each with its line end.
typedef int aws_fake_answer(const struct aws_fake_request *r, struct buf *body, struct buf *headers);

static aws_fake_answer *aws_fake_answering;
static int aws_fake_socket;
static pthread_t aws_fake_thread;

static inline bool aws_fake_read(int fd, struct buf *b, size_t *ret_body)
{
	char piece[65536];
	size_t want = 0;
	for (;;) {
		ssize_t n = read(fd, piece, sizeof piece);
		if (n <= 0)
			return false;
		buf_add(b, piece, (size_t)n);
		char *end = strstr(b->data, "\r\n\r\n"), *length = strcasestr(b->data, "\r\ncontent-length:");
		if (!end)
			continue;
		want = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
		*ret_body = (size_t)(end - b->data) + 4;
		if (b->len >= *ret_body + want)
			return true;
	}
}

static inline void aws_fake_serve(int fd)
{
	struct buf b = BUF_INIT, body = BUF_INIT, headers = BUF_INIT, out = BUF_INIT;
	size_t at = 0;
	if (aws_fake_read(fd, &b, &at)) {
		char *target = strcasestr(b.data, "\r\nx-amz-target:"), name[512] = "";
		if (target && target < b.data + at && sscanf(target + 15, " %*[^.].%500[^\r.]", name) != 1)
			name[0] = '\0';
		if (target && target < b.data + at) // "Service_2015.Operation" or "com.amazonaws.x.Y.Operation"
			for (char *dot = target + 15; *dot && *dot != '\r'; dot++)
				if (*dot == '.')
					sscanf(dot + 1, "%500[^\r]", name);
		if (!*name)
			sscanf(b.data, "%*s %500s", name);
		const struct aws_fake_request r = {name, b.data, b.data + at};
		int status = aws_fake_answering(&r, &body, &headers);
		buf_addf(&out, "HTTP/1.1 %d .\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n", status,
		         body.len, headers.len ? headers.data : "");
		buf_addstr(&out, buf_str(&body));
		for (size_t sent = 0; sent < out.len;) {
			ssize_t n = write(fd, out.data + sent, out.len - sent);
			if (n <= 0)
				break;
			sent += (size_t)n;
		}
	}
	buf_release(&b);
	buf_release(&body);
	buf_release(&headers);
	buf_release(&out);
	close(fd);
}

static inline void *aws_fake_main(void *unused)
{
	(void)unused;
	for (;;) {
		int fd = accept(aws_fake_socket, NULL, NULL);
		if (fd < 0)
			return NULL;
		aws_fake_serve(fd);
	}
}

// The environment names it, with credentials.
static inline void aws_fake_start(aws_fake_answer *answer)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	char url[64];
	aws_fake_answering = answer;
	aws_fake_socket = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(aws_fake_socket, (struct sockaddr *)&at, sizeof at) != 0 || listen(aws_fake_socket, 64) != 0 ||
	    getsockname(aws_fake_socket, (struct sockaddr *)&at, &size) != 0 ||
	    pthread_create(&aws_fake_thread, NULL, aws_fake_main, NULL) != 0)
		abort();
	snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(at.sin_port));
	setenv("AWS_ENDPOINT_URL", url, 1);
	setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "topsecret", 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	unsetenv("AWS_PROFILE");
	unsetenv("AWS_SESSION_TOKEN");
	unsetenv("AWS_ENDPOINT_URL_STS");
	unsetenv("AWS_ENDPOINT_URL_S3");
}

// Ends its thread: one that runs when the test ends is a leak to valgrind.
static inline void aws_fake_stop(void)
{
	shutdown(aws_fake_socket, SHUT_RDWR);
	pthread_join(aws_fake_thread, NULL);
	close(aws_fake_socket);
}

#endif
