// SPDX-License-Identifier: Apache-2.0
#include "aws/sqs.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "aws/call_priv.h"
#include "aws/s3_priv.h"
#include "base/json_writer.h"

static const struct aws_service service = {
	.endpoint = "SQS", .host = "sqs", .target = "AmazonSQS", .json = "1.0"};

bool sqs_region(struct str url, char *ret, size_t size, struct err *err)
{
	struct str host = url, word = str_cut(&host, '/'); // "https:"
	str_cut(&host, '/');
	host = str_cut(&host, '/');
	bool good = str_starts(word, STR("http")) && str_is(str_cut(&host, '.'), "sqs");
	word = str_cut(&host, '.');
	return (good && word.len > 0 && word.len < size && snprintf(ret, size, "%.*s", STR_ARG(word)) > 0) ||
	       err_set(err, ERR_CONFIG, "trail.queue: expected https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, got \"%.*s\"",
	               STR_ARG(url));
}

void sqs_batch_release(struct sqs_batch *b)
{
	arena_release(&b->arena);
	b->n = 0;
}

static struct str copy_text(struct arena *a, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? arena_str(a, str_of(text)) : STR_NONE;
}

enum aws_fault sqs_receive(const struct aws_place *at, const char *url, struct sqs_batch *ret,
                           struct aws_answer *scratch, struct err *err)
{
	struct buf body = BUF_INIT;
	struct json_writer j = JSON_WRITER(&body);
	jw_object(&j, NULL);
	jw_strz(&j, "QueueUrl", url);
	jw_int(&j, "MaxNumberOfMessages", SQS_MESSAGES_MAX);
	jw_int(&j, "VisibilityTimeout", SQS_HIDDEN_S);
	jw_end(&j);
	const struct aws_request r = {.service = &service,
	                              .at = at,
	                              .operation = "ReceiveMessage",
	                              .permission = "sqs:ReceiveMessage",
	                              .body = buf_str(&body)};
	json_t *root;
	enum aws_fault fault = aws_call_json(&r, NULL, scratch, &root, err);
	buf_release(&body);
	if (fault != AWS_NONE)
		return fault;
	size_t i;
	const json_t *one;
	arena_reset(&ret->arena);
	ret->n = 0;
	json_array_foreach(json_object_get(root, "Messages"), i, one)
		if (ret->n < SQS_MESSAGES_MAX)
			ret->v[ret->n++] = (struct sqs_message){copy_text(&ret->arena, one, "ReceiptHandle"),
			                                        copy_text(&ret->arena, one, "Body")};
	json_decref(root);
	return AWS_NONE;
}

// A request of several messages succeeds as a whole, and says which of them failed.
static int count_failed(const json_t *root, struct err *err)
{
	const json_t *failed = json_object_get(root, "Failed"), *first = json_array_get(failed, 0);
	const char *code = json_string_value(json_object_get(first, "Code")),
			   *words = json_string_value(json_object_get(first, "Message"));
	if (first)
		err_set(err, ERR_RETRY, "%s%s%s", code ? code : "no reason is given", words ? ": " : "",
		        words ? words : "");
	return (int)json_array_size(failed);
}

enum aws_fault sqs_delete(const struct aws_place *at, const char *url, const struct sqs_batch *batch,
                          int *ret_failed, struct aws_answer *scratch, struct err *err)
{
	struct buf body = BUF_INIT;
	struct json_writer j = JSON_WRITER(&body);
	int n = 0;
	jw_object(&j, NULL);
	jw_strz(&j, "QueueUrl", url);
	jw_array(&j, "Entries");
	for (int i = 0; i < batch->n; i++) {
		char id[16];
		if (!batch->v[i].receipt.len)
			continue;
		n++;
		snprintf(id, sizeof id, "m%d", i);
		jw_object(&j, NULL);
		jw_strz(&j, "Id", id);
		jw_str(&j, "ReceiptHandle", batch->v[i].receipt);
		jw_end(&j);
	}
	jw_end(&j);
	jw_end(&j);
	const struct aws_request r = {.service = &service,
	                              .at = at,
	                              .operation = "DeleteMessageBatch",
	                              .permission = "sqs:DeleteMessage",
	                              .body = buf_str(&body)};
	json_t *root = NULL;
	enum aws_fault fault = n ? aws_call_json(&r, NULL, scratch, &root, err) : AWS_NONE;
	*ret_failed = count_failed(root, err);
	json_decref(root);
	buf_release(&body);
	return fault;
}

// ---- objects in a message -----------------------------------------------------------------------

static int tell_notification(const json_t *records, struct arena *a, sqs_object_fn *fn, void *user)
{
	int n = 0;
	size_t i;
	const json_t *one;
	json_array_foreach(records, i, one) {
		const json_t *s3 = json_object_get(one, "s3");
		const char *bucket = json_string_value(json_object_get(json_object_get(s3, "bucket"), "name")),
				   *key = json_string_value(json_object_get(json_object_get(s3, "object"), "key"));
		if (!bucket || !key)
			continue;
		fn(user, (struct s3_name){arena_str(a, str_of(bucket)), s3_decode_key(a, str_of(key))});
		n++;
	}
	return n ? n : -1;
}

static int tell_cloudtrail(const json_t *root, struct arena *a, sqs_object_fn *fn, void *user)
{
	const char *bucket = json_string_value(json_object_get(root, "s3Bucket"));
	int n = 0;
	size_t i;
	const json_t *one;
	json_array_foreach(json_object_get(root, "s3ObjectKey"), i, one)
		if (bucket && json_is_string(one)) {
		fn(user,
		   (struct s3_name){arena_str(a, str_of(bucket)), arena_str(a, str_of(json_string_value(one)))});
		n++;
		}
	return n ? n : -1;
}

static int tell_event(const json_t *detail, struct arena *a, sqs_object_fn *fn, void *user)
{
	const char *bucket = json_string_value(json_object_get(json_object_get(detail, "bucket"), "name")),
			   *key = json_string_value(json_object_get(json_object_get(detail, "object"), "key"));
	if (!bucket || !key)
		return -1;
	fn(user, (struct s3_name){arena_str(a, str_of(bucket)), arena_str(a, str_of(key))});
	return 1;
}

// S3 sends it when a notification is set up.
static bool is_test(const json_t *message)
{
	const char *event = json_string_value(json_object_get(message, "Event"));
	return event && strcmp(event, "s3:TestEvent") == 0;
}

static int tell_message(const json_t *message, struct arena *a, sqs_object_fn *fn, void *user)
{
	if (is_test(message))
		return 0;
	if (json_object_get(message, "s3Bucket"))
		return tell_cloudtrail(message, a, fn, user);
	if (json_object_get(message, "detail"))
		return tell_event(json_object_get(message, "detail"), a, fn, user);
	return tell_notification(json_object_get(message, "Records"), a, fn, user);
}

// SNS wraps a message, unless the subscription asks for raw delivery.
int sqs_objects(struct str body, struct arena *arena, sqs_object_fn *fn, void *user)
{
	json_t *root = json_loadb(body.len ? body.p : "", body.len, 0, NULL);
	const char *inner = json_string_value(json_object_get(root, "Message"));
	json_t *message = inner ? json_loads(inner, 0, NULL) : json_incref(root);
	int n = tell_message(message, arena, fn, user);
	json_decref(message);
	json_decref(root);
	return n;
}
