// SPDX-License-Identifier: Apache-2.0
#include "store/redis_info.h"

#include <stdlib.h>
#include <string.h>

struct str redis_info_field(struct str info, const char *name)
{
	while (info.len) {
		struct str line = str_cut(&info, '\n'), key = str_cut(&line, ':');
		if (str_is(key, name))
			return line.len && line.p[line.len - 1] == '\r' ? (struct str){line.p, line.len - 1} : line;
	}
	return STR("");
}

int64_t redis_info_number(struct str info, const char *name)
{
	char text[32] = "";
	struct str s = redis_info_field(info, name);
	memcpy(text, s.p, s.len < sizeof text - 1 ? s.len : sizeof text - 1);
	return strtoll(text, NULL, 10);
}

static int64_t permille_used(struct redis_memory m)
{
	return m.max > 0 ? m.used / (m.max / 1000 + 1) : 0;
}

static bool read_master(struct redis *master, void *user, struct err *err)
{
	struct redis_memory *fullest = user;
	redis_cmdz(master, "INFO", "memory", NULL);
	if (!redis_exec(master, err))
		return false;
	struct str info = redis_str(master, 0);
	struct redis_memory m = {redis_info_number(info, "used_memory"), redis_info_number(info, "maxmemory")};
	int64_t more = permille_used(m) - permille_used(*fullest);
	if (more > 0 || (more == 0 && m.used > fullest->used))
		*fullest = m;
	return true;
}

bool redis_memory_read(struct redis *r, struct redis_memory *ret, struct err *err)
{
	*ret = (struct redis_memory){0, 0};
	return redis_each_master(r, read_master, ret, err);
}
