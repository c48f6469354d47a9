// SPDX-License-Identifier: Apache-2.0
// What every call to AWS needs: its environment, its URL, and reading what was answered.
#include <stdlib.h>

#include "aws/endpoint.h"
#include "aws/http_client.h"
#include "aws/s3_priv.h"
#include "aws/sqs.h"
#include "aws/xml.h"
#include "tests/tap.h"

static void test_xml(void)
{
	struct str rest = STR("<r><Key>a</Key><Size>1</Size><Key>b</Key><Open>"), one;
	one = xml_element(rest, "Key", &rest);
	ok(str_is(one, "a"), "the first element of a name");
	one = xml_element(rest, "Key", &rest);
	ok(str_is(one, "b"), "then the next one");
	ok(!xml_element(rest, "Key", &rest).p, "and no more");
	ok(str_is(rest, "<Open>"), "the rest stays");
	ok(!xml_element(rest, "Open", NULL).p, "an element that is not closed is none");
	ok(!xml_element(STR_NONE, "Key", NULL).p, "nothing has no elements");
}

static void test_listing(void)
{
	struct s3 s = {.arena = ARENA_INIT};
	s3_add_objects(
		&s,
		STR("<Contents><Key>a%2Fb+c</Key><LastModified>2026-11-02T05:06:07Z</LastModified><Size>5</Size></Contents>"
	        "<Contents><Key>no-size</Key><LastModified>2026-11-02T05:06:07Z</LastModified></Contents>"));
	ok(s.n == 1 && str_is(s.objects[0].key, "a/b c") && s.objects[0].size == 5, "an object of a listing");
	ok(s3_key_is_plain(STR("a/b..c/d")) && !s3_key_is_plain(STR("a/../b")),
	   "a key that leads upwards is not plain");
	ok(!s3_key_is_plain(STR("a/..\0/x-Manifest.json")), "nor is one whose path would end early");
	free(s.objects);
	arena_release(&s.arena);
}

static void test_object_above(void)
{
	struct s3 s = {.folder = STR("/cache/b"),
	               .bucket = STR("b"),
	               .objects = &(struct s3_object){.key = STR("../x")},
	               .n = 1};
	struct err err = ERR_INIT;
	ok(!s3_fetch(&s, STR("/cache/b/../x"), &err) && err.kind == ERR_CONFIG && strstr(err.msg, "not fetched"),
	   "an object whose key leads out of the folder is not fetched");
}

static void add_name(void *user, struct s3_name name)
{
	buf_addf(user, "%.*s/%.*s ", STR_ARG(name.bucket), STR_ARG(name.key));
}

static void test_messages(void)
{
	static const struct {
		struct str body;
		int n;
		const char *names, *what;
	} rows[] = {
		{STR("{\"Records\":[{\"s3\":{\"bucket\":{\"name\":\"b\"},\"object\":{\"key\":\"a%2Bb+c\"}}}]}"), 1,
	     "b/a+b c ", "a notification of S3"},
		{STR("{\"detail\":{\"bucket\":{\"name\":\"b\"},\"object\":{\"key\":\"k\"}}}"), 1, "b/k ",
	     "an event of EventBridge"},
		{STR("{\"Message\":\"{\\\"detail\\\":{\\\"bucket\\\":{\\\"name\\\":\\\"b\\\"},\\\"object\\\":{\\\"key\\\":\\\"k\\\"}}}\"}"),
	     1, "b/k ", "the same by SNS"},
		{STR("{\"Message\":\"{\\\"s3Bucket\\\":\\\"b\\\",\\\"s3ObjectKey\\\":[\\\"k\\\",\\\"l\\\"]}\"}"), 2,
	     "b/k b/l ", "CloudTrail's own, by SNS"},
		{STR("{\"s3Bucket\":\"b\",\"s3ObjectKey\":[\"k\"]}"), 1, "b/k ", "the same by raw delivery"},
		{STR("{\"Event\":\"s3:TestEvent\",\"Bucket\":\"b\"}"), 0, "",
	     "the test of a notification tells of none"},
		{STR("{\"Event\":\"else\"}"), -1, "", "another message is none of these"},
		{STR("no JSON"), -1, "", "nor is one that is no JSON"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct arena arena = ARENA_INIT;
		struct buf names = BUF_INIT;
		buf_adds(&names, "");
		ok(sqs_objects(rows[i].body, &arena, add_name, &names) == rows[i].n &&
		       str_is(buf_str(&names), rows[i].names),
		   "%s", rows[i].what);
		buf_release(&names);
		arena_release(&arena);
	}
}

static void test_nested_xml(void)
{
	struct str xml = STR(
				   "<?xml version=\"1.0\"?><R x=\"1\"><L><member><I><member><Arn>inner</Arn></member></I><E/>"
				   "<Arn>a&amp;b&#39;</Arn></member><member><Arn>c</Arn></member></L></R>"),
			   list, one;
	struct buf b = BUF_INIT;
	list = xml_child(xml_child(xml, "R", NULL), "L", NULL);
	one = xml_child(list, "member", &list);
	ok(str_is(xml_child(one, "Arn", NULL), "a&amp;b&#39;"), "an element's own, not that of one within it");
	is_str(xml_decode(xml_child(one, "Arn", NULL), &b).p, "a&b'", "with its entities decoded");
	one = xml_child(list, "member", &list);
	ok(str_is(xml_child(one, "Arn", NULL), "c"), "the next member of the outer list");
	ok(!xml_child(list, "member", &list).p, "and no more");
	ok(!xml_child(STR("<a><b>"), "a", NULL).p && !xml_child(STR("</a><a></a>"), "a", NULL).p &&
	       !xml_child(STR_NONE, "a", NULL).p,
	   "what is cut off has none");
	buf_release(&b);
}

static void test_headers(void)
{
	struct http_client_answer a = {0};
	buf_adds(&a.head, "ETag: \"x\" \r\ncontent-length:5\r\nX-Etag: no\r\n");
	ok(str_is(http_client_header(&a, "etag"), "\"x\""), "a header in any case, without blanks around");
	ok(str_is(http_client_header(&a, "Content-Length"), "5"), "without a blank");
	ok(!http_client_header(&a, "content").p, "the whole name counts");
	http_client_answer_release(&a);
}

static void test_url(void)
{
	struct buf b = BUF_INIT;
	buf_add_url_part(&b, (struct str){"a/b c=\0\xc3", 8}, true);
	is_str(b.data, "a/b%20c%3D%00%C3", "percent-encoded, the slash kept");
	buf_clear(&b);
	buf_add_url_part(&b, STR("a/b"), false);
	is_str(b.data, "a%2Fb", "or not");
	buf_release(&b);
}

static const char *region(struct buf *b, struct str profile)
{
	buf_clear(b);
	aws_add_region(b, profile);
	return b->data;
}

static void test_environment(void)
{
	struct buf b = BUF_INIT;
	unsetenv("AWS_REGION");
	unsetenv("AWS_DEFAULT_REGION");
	unsetenv("AWS_ENDPOINT_URL_STS");
	unsetenv("AWS_ENDPOINT_URL");
	is_str(region(&b, STR_NONE), "us-east-1", "a Region of last resort");
	is_str(region(&b, STR("eu-west-1")), "eu-west-1", "the profile's");
	setenv("AWS_DEFAULT_REGION", "eu-west-2", 1);
	is_str(region(&b, STR("eu-west-1")), "eu-west-2", "AWS_DEFAULT_REGION before it");
	setenv("AWS_REGION", "", 1);
	is_str(region(&b, STR("eu-west-1")), "eu-west-2", "an empty variable is not set");
	setenv("AWS_REGION", "eu-west-3", 1);
	is_str(region(&b, STR("eu-west-1")), "eu-west-3", "AWS_REGION before that");
	buf_release(&b);

	ok(!aws_endpoint("STS"), "AWS' own servers");
	setenv("AWS_ENDPOINT_URL", "http://all", 1);
	is_str(aws_endpoint("STS"), "http://all", "another server for all services");
	setenv("AWS_ENDPOINT_URL_STS", "http://sts", 1);
	is_str(aws_endpoint("STS"), "http://sts", "or for one");
	is_str(aws_endpoint("S3"), "http://all", "and not for others");
	is_str(aws_domain("cn-north-1"), "amazonaws.com.cn", "China has a domain of its own");
	is_str(aws_domain("eu-west-1"), "amazonaws.com", "all others have one");
}

static void test_bad_url(void)
{
	struct http_client_answer a;
	struct err err = ERR_INIT;
	ok(!http_client_do(&(struct http_client_request){.url = "ftp://x/"}, &a, &err) && err.kind == ERR_CONFIG,
	   "only http and https");
	err_clear(&err);
	ok(!http_client_do(&(struct http_client_request){.url = "http://127.0.0.1:1/"}, &a, &err) &&
	       err.kind == ERR_RETRY && strstr(err.msg, "http://127.0.0.1:1/"),
	   "no server: to be tried again, and the URL is named");
	err_clear(&err);
	ok(!http_client_do(&(struct http_client_request){.url = "http://127.0.0.1:1/?Token=abc"}, &a, &err) &&
	       strstr(err.msg, "http://127.0.0.1:1/: ") && !strstr(err.msg, "abc"),
	   "without its parameters, which may be a secret");
}

int main(void)
{
	test_xml();
	test_listing();
	test_object_above();
	test_messages();
	test_nested_xml();
	test_headers();
	test_url();
	test_environment();
	test_bad_url();
	return done();
}
