// SPDX-License-Identifier: Apache-2.0
// Credentials of a role, from STS: for a token that the cluster wrote into a file, or for other credentials
// that may assume the role.
#include <stdio.h>

#include "aws/credentials_priv.h"
#include "aws/endpoint.h"
#include "aws/xml.h"
#include "base/file.h"

static void begin_url(struct buf *url, const char *region)
{
	const char *endpoint = aws_endpoint("STS");
	if (endpoint)
		buf_addf(url, "%s/?", endpoint);
	else
		buf_addf(url, "https://sts.%s.%s/?", region, aws_domain(region));
}

static void add_parameter(struct buf *url, const char *name, struct str value)
{
	buf_addf(url, "%s%s=", url->data[url->len - 1] == '?' ? "" : "&", name);
	buf_add_url_part(url, value, false);
}

// STS itself fails, or is asked too often: nobody has to act.
static bool is_passing(long status, struct str code)
{
	return status >= 500 || str_starts(code, STR("Throttl"));
}

static enum found ask_sts(struct credentials *c, const struct http_client_request *r, struct str role_arn,
                          const char *origin, struct err *err)
{
	struct http_client_answer a;
	if (!http_client_do(r, &a, err))
		return FOUND_BROKEN;
	struct str xml = buf_str(&a.body), key = xml_element(xml, "AccessKeyId", NULL),
			   secret = xml_element(xml, "SecretAccessKey", NULL);
	bool good = a.status == 200 && key.len && secret.len;
	struct str code = xml_element(xml, "Code", NULL);
	bool passing = is_passing(a.status, code);
	if (good)
		credentials_set(c, key, secret, xml_element(xml, "SessionToken", NULL), origin);
	else
		err_set(err, passing ? ERR_RETRY : ERR_CONFIG,
		        "STS does not give the role %.*s (status %ld): %.*s %.*s%s", STR_ARG(role_arn), a.status,
		        STR_ARG(code), STR_ARG(xml_element(xml, "Message", NULL)),
		        passing                              ? ""
		        : str_starts(code, STR("Expired")) ? "; renew the credentials, by `aws sso login` for one"
		                                           : "; look at the role's trust policy");
	http_client_answer_release(&a);
	return good ? FOUND : FOUND_BROKEN;
}

enum found credentials_of_token(struct credentials *c, const char *token_file, struct str role_arn,
                                struct str region, struct err *err)
{
	struct buf token = BUF_INIT, url = BUF_INIT, where = BUF_INIT;
	if (!file_read(token_file, CREDENTIALS_FILE_MAX, &token, err))
		return FOUND_BROKEN;
	aws_add_region(&where, region);
	begin_url(&url, where.data);
	add_parameter(&url, "Action", STR("AssumeRoleWithWebIdentity"));
	add_parameter(&url, "RoleArn", role_arn);
	add_parameter(&url, "RoleSessionName", STR("nowcast"));
	add_parameter(&url, "Version", STR("2011-06-15"));
	add_parameter(&url, "WebIdentityToken", str_trim(buf_str(&token)));
	const struct http_client_request r = {.url = url.data, .ca_file = aws_ca_file()};
	enum found found = ask_sts(c, &r, role_arn, "web identity", err);
	buf_release(&token);
	buf_release(&url);
	buf_release(&where);
	return found;
}

// Parameters are in the order of their names, as the signature requires.
enum found credentials_of_role(struct credentials *c, const struct credentials *by, struct str role_arn,
                               struct str external_id, struct str region, struct err *err)
{
	struct buf url = BUF_INIT, where = BUF_INIT;
	aws_add_region(&where, region);
	begin_url(&url, where.data);
	add_parameter(&url, "Action", STR("AssumeRole"));
	if (external_id.len)
		add_parameter(&url, "ExternalId", external_id);
	add_parameter(&url, "RoleArn", role_arn);
	add_parameter(&url, "RoleSessionName", STR("nowcast"));
	add_parameter(&url, "Version", STR("2011-06-15"));
	const struct http_client_request r = {.url = url.data,
	                                      .sign = by,
	                                      .service = "sts",
	                                      .region = where.data,
	                                      .ca_file = aws_ca_file()};
	enum found found = ask_sts(c, &r, role_arn, "profile's role", err);
	buf_release(&url);
	buf_release(&where);
	return found;
}

bool credentials_account(const struct credentials *c, char ret[13], struct err *err)
{
	struct buf url = BUF_INIT, where = BUF_INIT;
	struct http_client_answer a;
	aws_add_region(&where, buf_str(&c->region));
	begin_url(&url, where.data);
	add_parameter(&url, "Action", STR("GetCallerIdentity"));
	add_parameter(&url, "Version", STR("2011-06-15"));
	const struct http_client_request r = {.url = url.data,
	                                      .sign = c,
	                                      .service = "sts",
	                                      .region = where.data,
	                                      .ca_file = aws_ca_file()};
	bool good = http_client_do(&r, &a, err);
	if (good) {
		struct str account = xml_element(buf_str(&a.body), "Account", NULL),
				   code = xml_element(buf_str(&a.body), "Code", NULL);
		good = a.status == 200 && account.len == 12;
		if (good)
			snprintf(ret, 13, "%.*s", STR_ARG(account));
		else
			err_set(err, is_passing(a.status, code) ? ERR_RETRY : ERR_CONFIG,
			        "STS does not take the credentials from the %s (status %ld): %.*s %.*s%s", c->origin,
			        a.status, STR_ARG(code), STR_ARG(xml_element(buf_str(&a.body), "Message", NULL)),
			        str_starts(code, STR("Expired")) ? "; renew them, by `aws sso login` for one" : "");
		http_client_answer_release(&a);
	}
	buf_release(&url);
	buf_release(&where);
	return good;
}
