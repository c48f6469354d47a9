// SPDX-License-Identifier: Apache-2.0
#include "store/schema.h"

#include <assert.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/usd.h"
#include "store/keys.h"

bool schema_read(struct redis *r, const char *prefix, struct schema_state *ret, struct err *err)
{
	struct buf key = BUF_INIT;
	redis_cmd(r, 2, (struct str[]){STR("GET"), key_schema(&key, prefix)});
	redis_cmd(r, 2, (struct str[]){STR("EXISTS"), key_schema1_acct_regions(&key, prefix)});
	redis_cmd(r, 2, (struct str[]){STR("EXISTS"), key_migrating(&key, prefix)});
	buf_release(&key);
	if (!redis_exec(r, err))
		return false;
	bool old = redis_int(r, 1) > 0;
	int64_t version = old ? SCHEMA_UNVERSIONED : SCHEMA_NONE;
	if (!redis_nil(r, 0) && (!usd_parse_scaled(redis_str(r, 0), 0, &version) || version < SCHEMA_UNKEYED))
		return err_set(err, ERR_CONFIG, "redis %s: the schema version is \"%.*s\", expected a number from %d",
		               redis_where(r), STR_ARG(redis_str(r, 0)), SCHEMA_UNKEYED);
	*ret = (struct schema_state){.version = version, .old_keys = old, .migrating = redis_int(r, 2) > 0};
	return true;
}

static bool set_version(struct redis *r, const char *prefix, struct err *err)
{
	struct buf key = BUF_INIT;
	char version[24];
	snprintf(version, sizeof version, "%d", SCHEMA_VERSION);
	redis_cmd(r, 4, (struct str[]){STR("SET"), key_schema(&key, prefix), str_of(version), STR("NX")});
	buf_release(&key);
	return redis_exec(r, err);
}

bool schema_check(struct redis *r, const char *prefix, enum schema_use use, struct err *err)
{
	struct schema_state state;
	if (!schema_read(r, prefix, &state, err))
		return false;
	int64_t version = state.version;
	if (version == SCHEMA_UNVERSIONED || version == SCHEMA_UNKEYED)
		return err_set(
			err, ERR_CONFIG,
			"redis %s holds figures of schema %lld, this program needs schema %d: stop every nowcast "
			"that uses it, run `nowcast migrate` once, and start them again (docs/upgrade.md)",
			redis_where(r), (long long)version, SCHEMA_VERSION);
	if (version > SCHEMA_VERSION)
		return err_set(
			err, ERR_CONFIG,
			"redis %s holds figures of schema %lld, which a newer nowcast has written; this program "
			"knows schema %d: install the newer one here, too (docs/upgrade.md)",
			redis_where(r), (long long)version, SCHEMA_VERSION);
	if (state.migrating)
		return err_set(
			err, ERR_CONFIG,
			"redis %s is being migrated to schema %d, or that was interrupted: wait for `nowcast migrate`, "
			"or run it again (docs/upgrade.md)",
			redis_where(r), SCHEMA_VERSION);
	assert(version == SCHEMA_NONE || version == SCHEMA_VERSION);
	return version == SCHEMA_VERSION || use == SCHEMA_READ || set_version(r, prefix, err);
}

static bool check_reader(struct redis *r, const char *prefix, struct err *err)
{
	return schema_check(r, prefix, SCHEMA_READ, err);
}

static bool check_writer(struct redis *r, const char *prefix, struct err *err)
{
	return schema_check(r, prefix, SCHEMA_WRITE, err);
}

bool schema_open(struct redis **ret, struct redis_target target, enum schema_use use, struct err *err)
{
	if (!redis_open(ret, target, err))
		return false;
	redis_on_connect(*ret, use == SCHEMA_WRITE ? check_writer : check_reader);
	return true;
}
