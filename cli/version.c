// SPDX-License-Identifier: Apache-2.0
// nowcast version: what a report of a fault should begin with. Other libraries than those built with may be
// loaded, so each is asked for its version if it can tell.
#include <stdio.h>

#include "aws/call.h"
#include "aws/http_client.h"
#include "base/digest.h"
#include "base/hash.h"
#include "base/version.h"
#include "cli/commands.h"
#include "ingest/inflate.h"
#include "ingest/json.h"
#include "ingest/kafka.h"
#include "store/redis.h"
#include "store/schema.h"
#include "web/http.h"

static void (*const libraries[])(struct buf *out) = {
	redis_library, aws_call_library, http_client_library, http_library, kafka_library,
	digest_library, json_library, hash_library, inflate_library,
};

int cmd_version(struct command *c)
{
	struct err err = ERR_INIT;
	if (!c->version && !command_done(c, 0, 0, &err))
		return command_fail(c, &err);
	struct version v = version_get();
	printf("nowcast %s\ncommit %s of %s\nschema %d\n", v.number, v.commit, v.date, SCHEMA_VERSION);
	struct buf line = BUF_INIT;
	for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
		buf_clear(&line);
		libraries[i](&line);
		puts(line.data);
	}
	buf_release(&line);
	return STATUS_OK;
}
