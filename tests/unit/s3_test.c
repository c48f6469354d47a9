// SPDX-License-Identifier: Apache-2.0
// Objects of S3 over hours: credentials that expire meanwhile, and keys of KMS. (How it reads exports and
// listings of a real server: tests/e2e/recon_s3_real.sh.)
#include "aws/s3.h"

#include <sys/stat.h>

#include "aws/s3_put.h"
#include "aws/sqs.h"
#include "base/when.h"
#include "tests/support/aws_fake.h"
#include "tests/tap.h"

static const char *expired;      // an access key
static const char *denied;       // AWS's words
static int by_old, by_new;       // requests signed with each key

static int answer(const struct aws_fake_request *r, struct buf *body, struct buf *headers)
{
	(void)headers;
	by_old += strstr(r->head, "Credential=OLD") != NULL;
	by_new += strstr(r->head, "Credential=NEW") != NULL;
	if (denied && strcmp(r->operation, "ReceiveMessage") == 0) {
		buf_addf(body, "{\"__type\":\"com.amazonaws.sqs#KmsAccessDenied\",\"message\":\"%s\"}", denied);
		return 400;
	}
	if (denied) {
		buf_addf(body, "<Error><Code>AccessDenied</Code><Message>%s</Message></Error>", denied);
		return 403;
	}
	if (expired && strstr(r->head, expired)) {
		buf_adds(body, "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>");
		return 400;
	}
	if (strchr(r->operation, '?'))
		for (int i = 0; i < 3; i++)
			buf_addf(body, "<Contents><Key>p/%d</Key><LastModified>2026-11-02T05:06:07Z</LastModified><Size>2</Size></Contents>", i);
	else
		buf_adds(body, "ok");
	return 200;
}

static bool fetch(struct s3 *s, const char *folder, const char *name, struct err *err)
{
	struct buf path = BUF_INIT;
	struct stat st;
	buf_addf(&path, "%s/b/p/%s", folder, name);
	bool good = s3_fetch(s, buf_str(&path), err) && stat(path.data, &st) == 0 && st.st_size == 2;
	buf_release(&path);
	return good;
}

static void test_expiring(const char *folder)
{
	struct s3 s = {0};
	struct err err = ERR_INIT;
	setenv("AWS_ACCESS_KEY_ID", "OLD", 1);
	ok(s3_open_prefix(&s, "s3://b/p", folder, &err) && s.n == 3, "a listing");
	ok(fetch(&s, folder, "0", &err), "a file");
	setenv("AWS_ACCESS_KEY_ID", "NEW", 1);
	expired = "Credential=OLD";
	ok(fetch(&s, folder, "1", &err), "when the credentials have expired, new ones are found: %s", err.msg);
	expired = NULL;
	setenv("AWS_ACCESS_KEY_ID", "OLD", 1);
	by_new = 0;
	atomic_fetch_add(&aws_fake_ahead_ms, 31 * 60000LL);
	ok(fetch(&s, folder, "2", &err) && by_new == 0, "and after half an hour, before they expire");
	s3_close(&s);
	expired = "Credential=OLD";
	ok(!s3_open_prefix(&s, "s3://b/p", folder, &err) && err.kind == ERR_CONFIG && strstr(err.msg, "renew"),
	   "if the new ones have expired as well, a person has to act");
	s3_close(&s);
	expired = NULL;
}

static void test_read(void)
{
	const struct s3_name name = {STR("b"), STR("p/0")};
	struct credentials c = {.origin = "environment"};
	struct buf data = BUF_INIT;
	struct err err = ERR_INIT;
	bool gone = false;
	buf_adds(&c.access_key, "OLD");
	buf_adds(&c.secret_key, "topsecret");
	ok(s3_read(&c, "us-east-1", name, &data, &gone, &err) && !gone, "a file by given credentials");
	expired = "Credential=OLD";
	ok(!s3_read(&c, "us-east-1", name, &data, &gone, &err) && gone && err.kind == ERR_RETRY,
	   "these are the caller's to renew");
	expired = NULL;
	credentials_release(&c);
	buf_release(&data);
}

static void test_kms(const char *folder)
{
	struct s3 s = {0};
	struct err err = ERR_INIT;
	struct credentials c = {.origin = "environment"};
	struct aws_answer scratch = {.body = BUF_INIT};
	struct sqs_batch batch = {0};
	buf_adds(&c.access_key, "OLD");
	buf_adds(&c.secret_key, "topsecret");
	denied = "User is not authorized to perform: kms:Decrypt on this resource";
	ok(!s3_open_prefix(&s, "s3://b/p", folder, &err) && strstr(err.msg, "and kms:Decrypt of the key"),
	   "a bucket that is encrypted: the permission for its key is named");
	s3_close(&s);
	err_clear(&err);
	ok(!s3_put((struct s3_name){STR("b"), STR("p/x")}, STR("ok"), "text/csv", &err) &&
	       strstr(err.msg, "s3:PutObject is needed, and kms:GenerateDataKey of the key"),
	   "to write to it takes another permission");
	err_clear(&err);
	const struct aws_place at = {&c, "us-east-1", "111122223333"};
	ok(sqs_receive(&at, "https://sqs/q", &batch, &scratch, &err) == AWS_DENIED &&
	       strstr(err.msg, "the permission kms:Decrypt (of the key that it is encrypted with) is missing"),
	   "a queue that is encrypted: the same");
	denied = NULL;
	sqs_batch_release(&batch);
	credentials_release(&c);
	buf_release(&scratch.body);
}

static void test_names(void)
{
	struct s3_name n;
	bool good = s3_name_parse(&n, STR("s3://b/k/x.csv"));
	ok(good && str_is(n.bucket, "b") && str_is(n.key, "k/x.csv"), "a key");
	static const char *const wrong[] = {"s3://b", "s3://b/", "s3:///k", "s3://b/k/", "s3://b/../k", "/b/k"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ok(!s3_name_parse(&n, str_of(wrong[i])), "%s is none", wrong[i]);
}

int main(void)
{
	char folder[] = "/tmp/nowcast-test-XXXXXX", command[64];
	if (!mkdtemp(folder))
		return 1;
	aws_fake_start(answer);
	test_expiring(folder);
	test_read();
	test_kms(folder);
	test_names();
	aws_fake_stop();
	snprintf(command, sizeof command, "rm -r %s", folder);
	return system(command) == 0 ? done() : 1;
}
