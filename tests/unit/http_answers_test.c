// SPDX-License-Identifier: Apache-2.0
// Clients that ask for large answers and do not take them: what these take of memory is bounded, small
// answers go on, and when the clients leave there is room again.
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/tap.h"
#include "web/http.h"

enum { LARGE = 24 << 20, FIT = HTTP_SENDING_MAX / LARGE, CLIENTS = FIT + 3 };

static enum http_route answer(void *user, struct http_exchange *x)
{
	(void)user;
	x->answer.status = 200;
	if (str_is(x->request.path, "/large")) {
		buf_reserve(&x->answer.body, LARGE);
		memset(x->answer.body.data, 'x', LARGE);
		x->answer.body.len = LARGE;
	} else {
		buf_adds(&x->answer.body, "small");
	}
	return HTTP_DONE;
}

// Returns the socket; *ret_status: of the answer, of which no more is read. 0: none came.
static int ask(const struct http *h, const char *path, int *ret_status)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)http_port(h)),
	                         .sin_addr = {htonl(INADDR_LOOPBACK)}};
	char request[128], head[13] = "";
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 20}, sizeof(struct timeval));
	int n = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) || write(fd, request, (size_t)n) != n)
		diag("%s is not asked for", path);
	bool came = recv(fd, head, 12, MSG_WAITALL) == 12; // "HTTP/1.1 200"
	*ret_status = came ? atoi(head + 9) : 0;
	return fd;
}

int main(void)
{
	struct http *h;
	struct err err = ERR_INIT;
	const struct http_options o = {
		.listen = "127.0.0.1:0", .tls_cert = "", .tls_key = "", .connections_max = 64};
	int fds[CLIENTS], status, good = 0, refused = 0;
	if (!http_open(&h, &o, answer, NULL, &err))
		skip_all("no port here");
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = ask(h, "/large", &status);
		good += status == 200;
		refused += status == 503;
	}
	is_int(good, FIT, "so many large answers wait for their clients");
	is_int(refused, CLIENTS - FIT, "more are refused");
	close(ask(h, "/", &status));
	is_int(status, 200, "small ones are not");
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
	status = 0;
	for (int i = 0; i < 50 && status != 200; i++) {
		close(ask(h, "/large", &status));
		usleep(100000);
	}
	is_int(status, 200, "and when the clients have left, there is room");
	http_close(h);
	return done();
}
