// SPDX-License-Identifier: Apache-2.0
// What AWS and its tools say: listings of S3 and answers of STS in XML, ~/.aws files, credentials in
// JSON. What is taken of them are slices of the text, or complete credentials; no key leads out of the
// cache. Longest input: 1024 bytes.
#include "aws/credentials_priv.h"
#include "aws/s3_priv.h"
#include "aws/xml.h"
#include "tests/fuzz/fuzz.h"

static void check_slice(struct str of, struct str s)
{
	assert(!s.len || (s.p >= of.p && s.p + s.len <= of.p + of.len));
}

static void try_xml(struct str xml)
{
	static const char *const names[] = {"AccessKeyId", "Code", "Contents", "NextContinuationToken"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct str rest = STR_NONE, found = xml_element(xml, names[i], &rest);
		check_slice(xml, found);
		assert(!rest.len || (found.p && rest.p > found.p));
		check_slice(xml, rest);
	}
}

static void try_listing(struct str xml)
{
	struct s3 s = {.arena = ARENA_INIT};
	s3_add_objects(&s, xml);
	for (size_t i = 0; i < s.n; i++) {
		struct str key = s.objects[i].key;
		assert(s.objects[i].modified_ms >= 0 && key.len <= xml.len);
		if (!s3_key_is_plain(key))
			continue;
		assert(!key.len || !memchr(key.p, '\0', key.len));
		for (struct str rest = key; rest.len;)
			assert(!str_is(str_cut(&rest, '/'), ".."));
	}
	free(s.objects);
	arena_release(&s.arena);
}

static void try_ini(struct input *in)
{
	struct str section = take_text(in), key = take_text(in), text = take_rest(in);
	struct buf z = BUF_INIT;
	buf_addstr(&z, key);
	buf_addc(&z, '\0');
	struct str value = aws_ini_get(text, "profile", section, z.data),
			   session = aws_ini_get(text, "sso-session", section, z.data);
	check_slice(text, value);
	check_slice(text, session);
	assert(!value.len || !memchr(value.p, '\n', value.len));
	if (value.len || session.len)
		assert(aws_ini_get(text, value.len ? "profile" : "sso-session", section, NULL).len == section.len);
	buf_release(&z);
}

static void try_json(struct input *in)
{
	static const char *const names[] = {"AccessKeyId", "SecretAccessKey", "Token"};
	struct credentials c = {0};
	bool within = take_byte(in) % 2;
	if (credentials_take_json(&c, take_rest(in), within ? "roleCredentials" : NULL, names, "fuzz"))
		assert(c.access_key.data && c.secret_key.data && str_is(str_of(c.origin), "fuzz"));
	else
		assert(!c.access_key.data && !c.secret_key.data && !c.origin);
	credentials_release(&c);
}

static void try_headers(struct str head)
{
	struct http_client_answer a = {0};
	buf_addstr(&a.head, head);
	struct str value = http_client_header(&a, "ETag");
	check_slice(buf_str(&a.head), value);
	assert(!value.len || !memchr(value.p, '\n', value.len));
	http_client_answer_release(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	switch (take_byte(&in) % 5) {
	case 0:
		try_xml(take_rest(&in));
		break;
	case 1:
		try_listing(take_rest(&in));
		break;
	case 2:
		try_ini(&in);
		break;
	case 3:
		try_json(&in);
		break;
	case 4:
		try_headers(take_rest(&in));
		break;
	}
	return 0;
}
