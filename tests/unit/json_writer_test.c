// SPDX-License-Identifier: Apache-2.0
// JSON that is written is JSON, whatever the names and values are.
#include <jansson.h>
#include <string.h>

#include "base/json_writer.h"
#include "tests/tap.h"

static const char *written(struct buf *out)
{
	struct json_writer j = JSON_WRITER(out);
	jw_object(&j, NULL);
	jw_str(&j, "name", STR("a \"b\"\n"));
	jw_strz(&j, "none", NULL);
	jw_array(&j, "list");
	for (int i = 0; i < 3; i++) {
		jw_line(&j);
		jw_int(&j, NULL, i - 1);
	}
	jw_end(&j);
	jw_array(&j, "empty");
	jw_end(&j);
	jw_key(&j, STR("tag:\"x\""));
	jw_object(&j, NULL);
	jw_bool(&j, "yes", true);
	jw_null(&j, "null");
	jw_real(&j, "nan", 0.0 / 0.0, 2);
	jw_real(&j, "half", 0.5, 2);
	jw_usd(&j, "usd", (struct usd){1500000000000});
	jw_time(&j, "at", 0);
	jw_usd_if(&j, "known", true, USD_ZERO);
	jw_usd_if(&j, "unknown", false, USD_ZERO);
	jw_time_if(&j, "then", true, 3600000);
	jw_time_if(&j, "never", false, INT64_MAX);
	jw_raw(&j, "raw", STR("[1]"));
	jw_end(&j);
	jw_end(&j);
	return out->data;
}

int main(void)
{
	struct buf out = BUF_INIT;
	is_str(
		written(&out),
		"{\"name\":\"a \\\"b\\\"\\n\",\"none\":null,\"list\":[\n-1,\n0,\n1],\"empty\":[],\"tag:\\\"x\\\"\":"
		"{\"yes\":true,\"null\":null,\"nan\":null,\"half\":0.50,\"usd\":\"1.500000000\","
		"\"at\":\"1970-01-01T00:00:00Z\",\"known\":\"0.000000000\",\"unknown\":null,"
		"\"then\":\"1970-01-01T01:00:00Z\",\"never\":null,\"raw\":[1]}}",
		"members, arrays, lines, escapes and nulls");
	json_t *read = json_loads(out.data, 0, NULL);
	ok(read != NULL, "another library reads it");
	json_decref(read);
	buf_release(&out);
	return done();
}
