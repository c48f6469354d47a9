// SPDX-License-Identifier: Apache-2.0
// Handing a message over: HTTP and SMTP by libcurl, or a command with the message on its standard input. Every way ends
// within SEND_MS. Redirects are not followed: a webhook that moved is a thing to know.
//
// With a `secret`, X-Nowcast-Signature is "sha256=" and the HMAC-SHA256 of "<X-Nowcast-Timestamp>.<body>" in hex.
// X-Nowcast-Id is the same each time a message is tried, so a receiver can tell a repetition.
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

#include "base/when.h"
#include "serve/alert.h"

enum { SEND_MS = 10000, CONNECT_MS = 4000, POLL_MS = 20 };

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

struct upload {
	struct str left;
};

static size_t feed(char *to, size_t size, size_t n, void *user)
{
	struct upload *u = user;
	size_t take = size * n < u->left.len ? size * n : u->left.len;
	memcpy(to, u->left.p, take);
	u->left.p += take;
	u->left.len -= take;
	return take;
}

static bool run_curl(CURL *c, const struct alert_receiver *to, const char *url, const char *error, struct err *err)
{
	if (to->ca.len) {
		char *ca = xstrdup(to->ca); // libcurl copies it
		curl_easy_setopt(c, CURLOPT_CAINFO, ca);
		free(ca);
	}
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)SEND_MS);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, swallow);
	curl_easy_setopt(c, CURLOPT_URL, url);
	CURLcode code = curl_easy_perform(c);
	if (code == CURLE_OK)
		return true;
	bool mine = code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_LOGIN_DENIED;
	return err_set(err, mine ? ERR_CONFIG : ERR_RETRY, "%s", *error ? error : curl_easy_strerror(code));
}

// ---- http ----------------------------------------------------------------------------------------------------------

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

static bool post(const struct alert_receiver *to, struct str id, struct str body, struct err *err)
{
	char error[CURL_ERROR_SIZE] = "", *url;
	struct buf whole = BUF_INIT;
	struct curl_slist *headers = add_header(NULL, "Content-Type: application/json");
	headers = add_header(headers, "X-Nowcast-Id: %.*s", STR_ARG(id));
	if (to->secret.len)
		headers = sign(headers, to->secret, body);
	buf_addstr(&whole, to->url);
	if (to->kind == TO_ALERTMANAGER && !str_ends(to->url, STR("/api/v2/alerts")))
		buf_adds(&whole, str_ends(to->url, STR("/")) ? "api/v2/alerts" : "/api/v2/alerts");
	url = whole.data;
	CURL *c = curl_easy_init();
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.p);
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)body.len);
	long status = 0;
	bool good = run_curl(c, to, url, error, err);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	if (good && (status < 200 || status > 299)) {
		bool later = status >= 500 || status == 429 || status == 408;
		good = err_set(err, later ? ERR_RETRY : ERR_CONFIG, "answered %ld", status);
	}
	curl_easy_cleanup(c);
	curl_slist_free_all(headers);
	buf_release(&whole);
	return good;
}

// ---- mail ----------------------------------------------------------------------------------------------------------

static bool mail(const struct alert_receiver *to, struct str body, struct err *err)
{
	char error[CURL_ERROR_SIZE] = "";
	struct upload upload = {body};
	char *url = xstrdup(to->url), *from = xstrdup(to->from), *user = xstrdup(to->user), *password = xstrdup(to->password);
	struct curl_slist *rcpt = NULL;
	struct str rest = to->to;
	while (rest.len) {
		struct str one = str_cut(&rest, ',');
		while (one.len && one.p[0] == ' ')
			one.p++, one.len--;
		rcpt = add_header(rcpt, "%.*s", STR_ARG(one));
	}
	CURL *c = curl_easy_init();
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(c, CURLOPT_USE_SSL, (long)CURLUSESSL_TRY);
	curl_easy_setopt(c, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(c, CURLOPT_MAIL_RCPT, rcpt);
	if (*user) {
		curl_easy_setopt(c, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL); // a password never goes in the clear
		curl_easy_setopt(c, CURLOPT_USERNAME, user);
		curl_easy_setopt(c, CURLOPT_PASSWORD, password);
	}
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, feed);
	curl_easy_setopt(c, CURLOPT_READDATA, &upload);
	bool good = run_curl(c, to, url, error, err);
	curl_easy_cleanup(c);
	curl_slist_free_all(rcpt);
	free(url);
	free(from);
	free(user);
	free(password);
	return good;
}

// ---- command -------------------------------------------------------------------------------------------------------

// Waits for the child, kills it and its group when it takes too long.
static bool await(pid_t pid, struct err *err)
{
	const struct timespec poll = {0, POLL_MS * 1000000L};
	int status = 0;
	for (int waited = 0; waitpid(pid, &status, WNOHANG) == 0; waited += POLL_MS) {
		if (waited >= SEND_MS) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			return err_set(err, ERR_RETRY, "the command did not end within %d s and was killed", SEND_MS / 1000);
		}
		nanosleep(&poll, NULL);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	return err_set(err, ERR_RETRY, "the command ended with %s %d", WIFEXITED(status) ? "status" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

static bool run_command(const struct alert_receiver *to, struct str body, struct err *err)
{
	extern char **environ;
	char *command = xstrdup(to->command);
	char sh[] = "sh", dash_c[] = "-c", *argv[] = {sh, dash_c, command, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none;
	pid_t pid;
	int in = memfd_create("alert", MFD_CLOEXEC);
	if (in < 0 || write(in, body.p, body.len) != (ssize_t)body.len || lseek(in, 0, SEEK_SET) != 0) {
		err_set(err, ERR_RETRY, "the message cannot be laid out: %s", strerror(errno));
		free(command);
		if (in >= 0)
			close(in);
		return false;
	}
	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	int failed = posix_spawn(&pid, "/bin/sh", &files, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	close(in);
	free(command);
	return failed ? err_set(err, ERR_RETRY, "the command does not start: %s", strerror(failed)) : await(pid, err);
}

bool alert_send(const struct alert_receiver *to, struct str id, struct str body, struct err *err)
{
	pthread_once(&curl_once, curl_begin);
	bool good = to->kind == TO_COMMAND ? run_command(to, body, err) : to->kind == TO_EMAIL ? mail(to, body, err) : post(to, id, body, err);
	return good || err_prefix(err, "receiver %.*s", STR_ARG(to->name));
}
