// SPDX-License-Identifier: Apache-2.0
// Keys are compared in small letters and without punctuation: user_agent, User-Agent and userAgent are one.
#include "ingest/quotation.h"

enum { KEY_MAX = 24 }; // of the lists below, and one more

static bool is_one_of(struct str key, const char *const *words)
{
	for (; *words; words++)
		if (str_is(key, *words))
			return true;
	return false;
}

static struct str plain_key(struct str key, char plain[KEY_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < key.len && n < KEY_MAX; i++) {
		char c = key.p[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			plain[n++] = c;
	}
	return (struct str){plain, n};
}

void quotation_look(struct json object, struct quotation *ret)
{
	static const char *const parts[] = {"text",   "input_text", "output_text", "thinking",
	                                    "tool_use", "tool_result", NULL};
	static const char *const ends[] = {"stop_reason", "stopReason", "finish_reason", "completionReason",
	                                   NULL};
	static const char *const requests[] = {"messages", "anthropic_version", "inferenceConfig", NULL};
	struct str key, text;
	struct json v;
	bool role = false, content = false;
	*ret = (struct quotation){false, false, false};
	for (struct json_iter it = json_begin(object); it.object && json_next(&it, &key, &v);) {
		role |= str_is(key, "role");
		content |= str_is(key, "content") || str_is(key, "parts");
		ret->part |= is_one_of(key, ends) ||
		             (str_is(key, "type") && json_str(v, &text) && is_one_of(text, parts));
		ret->request |= is_one_of(key, requests);
	}
	ret->message = role && content;
}

bool quotation_is(const struct quotation *q, struct str key)
{
	static const char *const always[] = {
		"requestparameters", "responseelements", "additionaleventdata", "errormessage", "requestmetadata",
		"inputbodyjson",     "outputbodyjson",   "prompt",              "completion",   "generation",
		"inputtext",         "outputtext",       "texts",               "useragent",    "httpuseragent",
		"headers",           "referer",          "referrer",            "httpreferer",  "cookie",
		"cookies",           "url",              "uri",                 "requesturi",   "querystring",
		NULL};
	static const char *const of_message[] = {"content",          "parts",     "text",
	                                         "reasoningcontent", "toolcalls", NULL};
	static const char *const of_part[] = {"text", "content", "thinking", "input", NULL};
	static const char *const of_request[] = {"system", "tools", "toolconfig", "instructions", NULL};
	char plain[KEY_MAX];
	if (str_starts(key, STR("gen_ai.")))
		return true;
	if (key.len > 2 * KEY_MAX)
		return false;
	key = plain_key(key, plain);
	return is_one_of(key, always) || (q->message && is_one_of(key, of_message)) ||
	       (q->part && is_one_of(key, of_part)) || (q->request && is_one_of(key, of_request));
}
