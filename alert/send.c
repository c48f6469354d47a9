// SPDX-License-Identifier: Apache-2.0
// Handing messages over: HTTP and SMTP by libcurl, or a command with the message on its standard input. All
// that are on their way go on at the same time, and each ends within SEND_MS. Redirects are not followed: a
// webhook that moved is a thing to know.
//
// With a `secret`, X-Nowcast-Signature is "sha256=" and the HMAC-SHA256 of "<X-Nowcast-Timestamp>.<body>" in
// hex. X-Nowcast-Id is the same each time a message is tried, so a receiver can tell a repetition.
#include <curl/curl.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alert/alert.h"
#include "base/when.h"

enum { SEND_MS = 10000, CONNECT_MS = 4000 };

struct alert_sender {
	CURLM *multi;
};

struct alert_sending {
	struct alert_sender *sender;
	char *name;              // of the receiver
	struct buf body;
	size_t fed;              // of the body of a mail
	CURL *curl;              // NULL: a command
	struct curl_slist *list; // headers, or recipients
	char error[CURL_ERROR_SIZE];
	bool is_http;
	pid_t pid;               // of a command that runs; 0: none
	int64_t killed_ms;       // when it will be (when_ticks_ms)
	bool over;
	struct err why;          // not taken, because
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_begin(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t swallow(char *data, size_t size, size_t n, void *user)
{
	(void)data;
	(void)user;
	return size * n;
}

static size_t feed(char *to, size_t size, size_t n, void *user)
{
	struct alert_sending *x = user;
	size_t left = x->body.len - x->fed, take = size * n < left ? size * n : left;
	memcpy(to, x->body.data + x->fed, take);
	x->fed += take;
	return take;
}

// ---- libcurl ------------------------------------------------------------------------------------

static void begin(struct alert_sender *s, struct alert_sending *x, const struct alert_receiver *to,
                  const char *url)
{
	if (to->ca.len) {
		char *ca = xstrdup(to->ca); // libcurl copies it
		curl_easy_setopt(x->curl, CURLOPT_CAINFO, ca);
		free(ca);
	}
	curl_easy_setopt(x->curl, CURLOPT_PRIVATE, x);
	curl_easy_setopt(x->curl, CURLOPT_ERRORBUFFER, x->error);
	curl_easy_setopt(x->curl, CURLOPT_TIMEOUT_MS, (long)SEND_MS);
	curl_easy_setopt(x->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(x->curl, CURLOPT_FRESH_CONNECT, 1L); // no message waits for another one's connection
	curl_easy_setopt(x->curl, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(x->curl, CURLOPT_QUICK_EXIT, 1L);    // nor for a name server
	curl_easy_setopt(x->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(x->curl, CURLOPT_WRITEFUNCTION, swallow);
	curl_easy_setopt(x->curl, CURLOPT_URL, url);
	curl_multi_add_handle(s->multi, x->curl);
}

static void end_curl(struct alert_sending *x, CURLcode code)
{
	long status = 0;
	curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK) {
		bool mine =
			code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_LOGIN_DENIED;
		err_set(&x->why, mine ? ERR_CONFIG : ERR_RETRY, "receiver %s: %s", x->name,
		        *x->error ? x->error : curl_easy_strerror(code));
	} else if (x->is_http && (status < 200 || status > 299)) {
		bool later = status >= 500 || status == 429 || status == 408;
		err_set(&x->why, later ? ERR_RETRY : ERR_CONFIG, "receiver %s: answered %ld", x->name, status);
	}
	x->over = true;
}

// ---- http ---------------------------------------------------------------------------------------

static struct curl_slist *add_header(struct curl_slist *list, const char *fmt, ...) NC_PRINTF(2, 3);
static struct curl_slist *add_header(struct curl_slist *list, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	list = curl_slist_append(list, b.data);
	buf_release(&b);
	return list;
}

static struct curl_slist *sign(struct curl_slist *list, struct str secret, struct str body)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
	struct buf b = BUF_INIT;
	long long now = when_now_ms() / 1000;
	buf_addf(&b, "%lld.", now);
	buf_addstr(&b, body);
	HMAC(EVP_sha256(), secret.p, (int)secret.len, (const unsigned char *)b.data, b.len, mac, &len);
	for (unsigned i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", mac[i]);
	buf_release(&b);
	list = add_header(list, "X-Nowcast-Timestamp: %lld", now);
	return add_header(list, "X-Nowcast-Signature: sha256=%s", hex);
}

static void post(struct alert_sender *s, struct alert_sending *x, const struct alert_receiver *to,
                 struct str id)
{
	struct buf url = BUF_INIT;
	x->is_http = true;
	x->list = add_header(NULL, "Content-Type: application/json");
	x->list = add_header(x->list, "X-Nowcast-Id: %.*s", STR_ARG(id));
	if (to->secret.len)
		x->list = sign(x->list, to->secret, buf_str(&x->body));
	buf_addstr(&url, to->url);
	if (to->kind == TO_ALERTMANAGER && !str_ends(to->url, STR("/api/v2/alerts")))
		buf_adds(&url, str_ends(to->url, STR("/")) ? "api/v2/alerts" : "/api/v2/alerts");
	x->curl = curl_easy_init();
	curl_easy_setopt(x->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(x->curl, CURLOPT_HTTPHEADER, x->list);
	curl_easy_setopt(x->curl, CURLOPT_POSTFIELDS, x->body.data);
	curl_easy_setopt(x->curl, CURLOPT_POSTFIELDSIZE, (long)x->body.len);
	begin(s, x, to, url.data);
	buf_release(&url);
}

// ---- mail ---------------------------------------------------------------------------------------

static void mail(struct alert_sender *s, struct alert_sending *x, const struct alert_receiver *to)
{
	char *url = xstrdup(to->url), *from = xstrdup(to->from), *user = xstrdup(to->user),
		 *password = xstrdup(to->password);
	struct str rest = to->to;
	while (rest.len) {
		struct str one = str_cut(&rest, ',');
		while (one.len && one.p[0] == ' ')
			one.p++, one.len--;
		x->list = add_header(x->list, "%.*s", STR_ARG(one));
	}
	x->curl = curl_easy_init();
	curl_easy_setopt(x->curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(x->curl, CURLOPT_USE_SSL, (long)CURLUSESSL_TRY);
	curl_easy_setopt(x->curl, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(x->curl, CURLOPT_MAIL_RCPT, x->list);
	if (*user) {
		// a password never goes in the clear
		curl_easy_setopt(x->curl, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
		curl_easy_setopt(x->curl, CURLOPT_USERNAME, user);
		curl_easy_setopt(x->curl, CURLOPT_PASSWORD, password);
	}
	curl_easy_setopt(x->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(x->curl, CURLOPT_READFUNCTION, feed);
	curl_easy_setopt(x->curl, CURLOPT_READDATA, x);
	begin(s, x, to, url);
	free(url);
	free(from);
	free(user);
	free(password);
}

// ---- command ------------------------------------------------------------------------------------

// Has the command ended? One that takes too long is killed, and its group.
static void look_after(struct alert_sending *x)
{
	int status = 0;
	if (waitpid(x->pid, &status, WNOHANG) == 0) {
		if (when_ticks_ms() < x->killed_ms)
			return;
		kill(-x->pid, SIGKILL);
		waitpid(x->pid, &status, 0);
		err_set(&x->why, ERR_RETRY, "receiver %s: the command did not end within %d s and was killed",
		        x->name, SEND_MS / 1000);
	} else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		err_set(&x->why, ERR_RETRY, "receiver %s: the command ended with %s %d", x->name,
		        WIFEXITED(status) ? "status" : "signal",
		        WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	}
	x->pid = 0;
	x->over = true;
}

static void run_command(struct alert_sending *x, const struct alert_receiver *to)
{
	extern char **environ;
	char *command = xstrdup(to->command);
	char sh[] = "sh", dash_c[] = "-c", *argv[] = {sh, dash_c, command, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none;
	int in = memfd_create("alert", MFD_CLOEXEC);
	if (in < 0 || write(in, x->body.data, x->body.len) != (ssize_t)x->body.len ||
	    lseek(in, 0, SEEK_SET) != 0) {
		err_set(&x->why, ERR_RETRY, "receiver %s: the message cannot be laid out: %s", x->name,
		        strerror(errno));
		x->over = true;
		free(command);
		if (in >= 0)
			close(in);
		return;
	}
	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	// libcurl's sockets: it would hold them open
	posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	int failed = posix_spawn(&x->pid, "/bin/sh", &files, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	close(in);
	free(command);
	x->killed_ms = when_ticks_ms() + SEND_MS;
	if (failed) {
		x->pid = 0;
		x->over = true;
		err_set(&x->why, ERR_RETRY, "receiver %s: the command does not start: %s", x->name, strerror(failed));
	}
}

// ---- all ----------------------------------------------------------------------------------------

struct alert_sender *alert_sender_new(void)
{
	struct alert_sender *s = xcalloc(1, sizeof *s);
	pthread_once(&curl_once, curl_begin);
	s->multi = curl_multi_init();
	return s;
}

void alert_sender_free(struct alert_sender *s)
{
	if (!s)
		return;
	curl_multi_cleanup(s->multi);
	free(s);
}

struct alert_sending *alert_send(struct alert_sender *s, const struct alert_receiver *to, struct str id,
                                 struct buf *body)
{
	struct alert_sending *x = xcalloc(1, sizeof *x);
	x->sender = s;
	x->name = xstrdup(to->name);
	x->body = *body;
	*body = (struct buf)BUF_INIT;
	if (to->kind == TO_COMMAND)
		run_command(x, to);
	else if (to->kind == TO_EMAIL)
		mail(s, x, to);
	else
		post(s, x, to, id);
	return x;
}

void alert_sender_wait(struct alert_sender *s, int64_t ms)
{
	int left, running;
	CURLMsg *m;
	curl_multi_perform(s->multi, &running);
	curl_multi_poll(s->multi, NULL, 0, (int)ms, NULL);
	curl_multi_perform(s->multi, &running);
	while ((m = curl_multi_info_read(s->multi, &left))) {
		char *x;
		if (m->msg == CURLMSG_DONE && curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &x) == CURLE_OK)
			end_curl((struct alert_sending *)(void *)x, m->data.result);
	}
}

bool alert_sending_over(struct alert_sending *x, const struct err **ret_why)
{
	if (x->pid)
		look_after(x);
	*ret_why = x->why.kind ? &x->why : NULL;
	return x->over;
}

void alert_sending_free(struct alert_sending *x)
{
	if (!x)
		return;
	if (x->curl) {
		curl_multi_remove_handle(x->sender->multi, x->curl);
		curl_easy_cleanup(x->curl);
	}
	if (x->pid) {
		kill(-x->pid, SIGKILL);
		waitpid(x->pid, NULL, 0);
	}
	curl_slist_free_all(x->list);
	buf_release(&x->body);
	free(x->name);
	free(x);
}
