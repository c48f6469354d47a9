// SPDX-License-Identifier: Apache-2.0
#include "aws/s3_put.h"

#include "aws/s3_priv.h"

enum { OBJECT_GIB_MAX = 5 }; // of a single PUT

bool s3_name_parse(struct s3_name *ret, struct str uri)
{
	if (!str_starts(uri, STR("s3://")))
		return false;
	struct str key = {uri.p + 5, uri.len - 5}, bucket = str_cut(&key, '/');
	if (!bucket.len || !key.len || key.p[key.len - 1] == '/' || !s3_key_is_plain(bucket) ||
	    !s3_key_is_plain(key))
		return false;
	*ret = (struct s3_name){bucket, key};
	return true;
}

bool s3_put(struct s3_name object, struct str content, const char *type, struct err *err)
{
	struct s3 s = {.bucket = object.bucket};
	struct buf tail = BUF_INIT, header = BUF_INIT;
	struct http_client_answer a;
	if (content.len > (size_t)OBJECT_GIB_MAX << 30)
		return err_set(err, ERR_CONFIG,
		               "s3://%.*s/%.*s: %zu bytes are more than the %d GiB that S3 takes at once", STR_ARG(object.bucket),
		               STR_ARG(object.key), content.len, OBJECT_GIB_MAX);
	buf_add_url_part(&tail, object.key, true);
	buf_addf(&header, "Content-Type: %s", type);
	const struct s3_ask q = {.tail = tail.data,
	                         .what = "to write",
	                         .body = content.p ? content : STR(""),
	                         .header = header.data};
	bool good = s3_find_credentials(&s, err) && s3_request(&s, &q, &a, err);
	if (good)
		http_client_answer_release(&a);
	buf_release(&tail);
	buf_release(&header);
	s3_close(&s);
	return good;
}
