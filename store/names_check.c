// SPDX-License-Identifier: Apache-2.0
#include "store/names_check.h"

#include "base/buf.h"
#include "store/keys.h"

bool names_check(struct redis *r, const char *prefix, struct pseudonyms *p, struct err *err)
{
	char mark[PSEUDONYM_MARK];
	struct buf key = BUF_INIT;
	pseudonyms_mark(p, mark);
	key_names_mark(&key, prefix);
	if (p)
		redis_cmdz(r, "SETNX", key.data, mark, NULL);
	redis_cmdz(r, "GET", key.data, NULL);
	bool good = redis_exec(r, err);
	size_t reply = p ? 1 : 0;
	if (good && !redis_nil(r, reply) && !str_is(redis_str(r, reply), mark))
		good = err_set(
			err, ERR_CONFIG,
			"the names in %s are hashed %s: give names.hash and names.hash.key as the other programs have them "
			"(or, to start again with other hashes, delete the key %s)",
			redis_where(r), p ? "with another key, or others of them are" : "and here names.hash is not set",
			key.data);
	buf_release(&key);
	return good;
}
