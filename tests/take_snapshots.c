// SPDX-License-Identifier: Apache-2.0
// Takes the scoreboard's snapshots as `nowcast run` does, at a time that the test says it is.
//
//     take_snapshots REDIS-URL 2026-11-02T01:05:30Z     prints how many it took
#include <stdio.h>

#include "base/when.h"
#include "query/snapshot.h"

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct conf conf;
	struct view *v;
	int64_t now_ms;
	int taken = 0;
	conf_init(&conf);
	if (argc != 3 || !when_parse(str_of(argv[2]), &now_ms)) {
		fprintf(stderr, "usage: take_snapshots REDIS-URL TIME\n");
		return 2;
	}
	conf.scoreboard_keep_ms = conf.retention_ms;
	bool good = view_open(&v, (struct redis_target){argv[1], NULL, conf.redis_prefix, NULL}, &err) &&
	            snapshot_take(v, &conf, now_ms, &taken, &err);
	if (good)
		printf("%d\n", taken);
	else
		fprintf(stderr, "take_snapshots: %s\n", err.msg);
	view_close(v);
	conf_release(&conf);
	return !good;
}
