// SPDX-License-Identifier: Apache-2.0
// The first page of each list is read: no account has a hundred trails, streams or exports.
#include "aws/inventory.h"

#include <jansson.h>
#include <stdlib.h>

#include "aws/call_priv.h"

static const struct aws_service cloudtrail = {
	"CLOUDTRAIL", "cloudtrail", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", "1.1"};
static const struct aws_service cloudwatch = {"CLOUDWATCH", "monitoring", "GraniteServiceVersion20100801",
                                              "1.0"};
static const struct aws_service exports = {"BCM_DATA_EXPORTS", "bcm-data-exports",
                                           "AWSBillingAndCostManagementDataExports", "1.1"};
static const struct aws_service costs = {"COST_EXPLORER", "ce", "AWSInsightsIndexService", "1.1"};

void inventory_switch_release(struct inventory_switch *s)
{
	buf_release(&s->found);
}

// The answer, or NULL, and why in `s`. `body` is taken over.
static json_t *ask(const struct aws_place *at, const struct aws_service *service, const char *operation,
                   const char *permission, json_t *body, struct inventory_switch *s)
{
	char *text = json_dumps(body, JSON_COMPACT);
	struct aws_answer answer = {.body = BUF_INIT};
	const struct aws_request r = {.service = service,
	                              .at = at,
	                              .operation = operation,
	                              .permission = permission,
	                              .body = str_of(text)};
	json_t *root;
	if (aws_call_json(&r, NULL, &answer, &root, &s->why) != AWS_NONE)
		s->state = SWITCH_UNKNOWN;
	buf_release(&answer.body);
	free(text);
	json_decref(body);
	return root;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text ? text : "";
}

static void add_name(struct buf *b, const char *name)
{
	buf_addf(b, "%s%s", b->len ? ", " : "", name);
}

// ---- trails -------------------------------------------------------------------------------------

static bool has_value(const json_t *list, const char *value)
{
	size_t i;
	const json_t *one;
	json_array_foreach(list, i, one)
		if (json_is_string(one) && strcmp(json_string_value(one), value) == 0)
			return true;
	return false;
}

// An advanced event selector of the data events of mantle's projects.
static bool selects_mantle(const json_t *selectors)
{
	size_t i, k;
	const json_t *selector, *field;
	json_array_foreach(selectors, i, selector)
		json_array_foreach(json_object_get(selector, "FieldSelectors"), k, field)
			if (strcmp(text_of(field, "Field"), "resources.type") == 0 &&
			    has_value(json_object_get(field, "Equals"), "AWS::BedrockMantle::Project"))
				return true;
	return false;
}

static void look_at_trail(const struct aws_place *at, const json_t *trail, struct inventory_switch *ret,
                          struct inventory_switch *mantle)
{
	const char *arn = text_of(trail, "TrailARN"), *home = text_of(trail, "HomeRegion");
	const struct aws_place there = {at->credentials, *home ? home : at->region, at->account};
	json_t *status = ask(&there, &cloudtrail, "GetTrailStatus", "cloudtrail:GetTrailStatus",
	                     json_pack("{s:s}", "Name", arn), ret);
	bool logs = json_is_true(json_object_get(status, "IsLogging")),
		 everywhere = json_is_true(json_object_get(trail, "IsMultiRegionTrail"));
	json_decref(status);
	if (!logs)
		return;
	add_name(&ret->found, text_of(trail, "Name"));
	buf_addf(&ret->found, " to s3://%s%s", text_of(trail, "S3BucketName"),
	         everywhere ? "" : " (of one Region)");
	if (*text_of(trail, "KmsKeyId"))
		buf_addf(&ret->found, " (to read it needs kms:Decrypt of %s, in the policy of the role and in that of the key)",
		         text_of(trail, "KmsKeyId"));
	if (ret->state != SWITCH_ON)
		ret->state = everywhere ? SWITCH_ON : SWITCH_PART;
	json_t *selectors = ask(&there, &cloudtrail, "GetEventSelectors", "cloudtrail:GetEventSelectors",
	                        json_pack("{s:s}", "TrailName", arn), mantle);
	if (selects_mantle(json_object_get(selectors, "AdvancedEventSelectors"))) {
		mantle->state = SWITCH_ON;
		add_name(&mantle->found, text_of(trail, "Name"));
	}
	json_decref(selectors);
}

void inventory_trails(const struct aws_place *at, struct inventory_switch *trail,
                      struct inventory_switch *mantle)
{
	size_t i;
	const json_t *one;
	trail->state = mantle->state = SWITCH_OFF;
	json_t *all = ask(at, &cloudtrail, "DescribeTrails", "cloudtrail:DescribeTrails",
	                  json_pack("{s:b}", "includeShadowTrails", 1), trail);
	if (!all) {
		mantle->state = SWITCH_UNKNOWN;
		mantle->why = trail->why;
	}
	json_array_foreach(json_object_get(all, "trailList"), i, one)
		look_at_trail(at, one, trail, mantle);
	json_decref(all);
}

// ---- the others ---------------------------------------------------------------------------------

void inventory_metric_streams(const struct aws_place *at, struct inventory_switch *ret)
{
	size_t i;
	const json_t *one;
	ret->state = SWITCH_OFF;
	json_t *all =
		ask(at, &cloudwatch, "ListMetricStreams", "cloudwatch:ListMetricStreams", json_object(), ret);
	json_array_foreach(json_object_get(all, "Entries"), i, one)
		if (strcmp(text_of(one, "State"), "running") == 0) {
			ret->state = SWITCH_ON;
			add_name(&ret->found, text_of(one, "Name"));
		}
	json_decref(all);
}

// What is missing of an export: names of settings, or nothing.
static void look_at_export(const struct aws_place *at, const json_t *reference, struct inventory_switch *ret)
{
	static const char *const wanted[][2] = {{"TIME_GRANULARITY", "HOURLY"},
	                                        {"INCLUDE_RESOURCES", "TRUE"},
	                                        {"INCLUDE_IAM_PRINCIPAL_DATA", "TRUE"}};
	struct inventory_switch own = {0};
	struct buf missing = BUF_INIT;
	json_t *root = ask(at, &exports, "GetExport", "bcm-data-exports:GetExport",
	                   json_pack("{s:s}", "ExportArn", text_of(reference, "ExportArn")), &own);
	const json_t *query = json_object_get(json_object_get(root, "Export"), "DataQuery"),
				 *table =
					 json_object_get(json_object_get(query, "TableConfigurations"), "COST_AND_USAGE_REPORT");
	for (size_t i = 0; table && i < sizeof wanted / sizeof *wanted; i++)
		if (strcmp(text_of(table, wanted[i][0]), wanted[i][1]) != 0)
			buf_addf(&missing, "%s%s = %s", missing.len ? ", " : "", wanted[i][0], wanted[i][1]);
	if (table && ret->state != SWITCH_ON) {
		ret->state = missing.len ? SWITCH_PART : SWITCH_ON;
		buf_clear(&ret->found);
		buf_addf(&ret->found, "%s%s%s", text_of(reference, "ExportName"), missing.len ? ", without " : "",
		         missing.len ? missing.data : "");
	} else if (!root && ret->state == SWITCH_OFF) {
		ret->state = SWITCH_UNKNOWN;
		ret->why = own.why;
	}
	json_decref(root);
	buf_release(&missing);
}

void inventory_export(const struct aws_place *at, struct inventory_switch *ret)
{
	size_t i;
	const json_t *one;
	ret->state = SWITCH_OFF;
	json_t *all = ask(at, &exports, "ListExports", "bcm-data-exports:ListExports", json_object(), ret);
	json_array_foreach(json_object_get(all, "Exports"), i, one)
		look_at_export(at, one, ret);
	json_decref(all);
}

void inventory_cost_tag(const struct aws_place *at, const char *tag, struct inventory_switch *ret)
{
	size_t i;
	const json_t *one;
	struct buf key = BUF_INIT;
	ret->state = SWITCH_OFF;
	buf_addf(&key, "iamPrincipal/%s", tag);
	json_t *all = ask(at, &costs, "ListCostAllocationTags", "ce:ListCostAllocationTags",
	                  json_pack("{s:[s], s:i}", "TagKeys", key.data, "MaxResults", 100), ret);
	json_array_foreach(json_object_get(all, "CostAllocationTags"), i, one)
		if (strcmp(text_of(one, "TagKey"), key.data) == 0) {
			ret->state = strcmp(text_of(one, "Status"), "Active") == 0 ? SWITCH_ON : SWITCH_PART;
			buf_addf(&ret->found, "%s: %s", key.data, text_of(one, "Status"));
		}
	json_decref(all);
	buf_release(&key);
}
