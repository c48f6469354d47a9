// SPDX-License-Identifier: Apache-2.0
#include "aws/credentials.h"

#include <jansson.h>
#include <stdlib.h>

#include "aws/credentials_priv.h"
#include "aws/endpoint.h"
#include "base/file.h"

enum { NEAR_MS = 1000 };

static const char *const machine_names[] = {"AccessKeyId", "SecretAccessKey", "Token"};

static void set_text(struct buf *b, struct str s)
{
	buf_clear(b);
	buf_addstr(b, s);
}

void credentials_set(struct credentials *c, struct str key, struct str secret, struct str token,
                     const char *origin)
{
	set_text(&c->access_key, key);
	set_text(&c->secret_key, secret);
	set_text(&c->session_token, token);
	c->origin = origin;
}

bool credentials_take_json(struct credentials *c, struct str json, const char *object,
                           const char *const names[3], const char *origin)
{
	json_t *root = json_loadb(json.p ? json.p : "", json.len, 0, NULL),
		   *at = object ? json_object_get(root, object) : root;
	const char *text[3];
	for (int i = 0; i < 3; i++)
		text[i] = json_string_value(json_object_get(at, names[i]));
	bool whole = text[0] && text[1];
	if (whole)
		credentials_set(c, str_of(text[0]), str_of(text[1]), str_of(text[2]), origin);
	json_decref(root);
	return whole;
}

enum found credentials_environment(struct credentials *c, struct err *err)
{
	const char *key = aws_env("AWS_ACCESS_KEY_ID"),
			   *secret = aws_env("AWS_SECRET_ACCESS_KEY");
	(void)err;
	if (!key || !secret)
		return FOUND_NOTHING;
	credentials_set(c, str_of(key), str_of(secret), str_of(aws_env("AWS_SESSION_TOKEN")),
	                "environment");
	return FOUND;
}

static enum found web_identity(struct credentials *c, struct err *err)
{
	const char *file = aws_env("AWS_WEB_IDENTITY_TOKEN_FILE"),
			   *role = aws_env("AWS_ROLE_ARN");
	return file && role ? credentials_of_token(c, file, str_of(role), STR_NONE, err) : FOUND_NOTHING;
}

// ---- a container, a machine ---------------------------------------------------------------------

static bool get_nearby(const char *method, const char *url, const char *header, struct buf *ret)
{
	struct http_client_request r = {.method = method,
	                                .url = url,
	                                .headers = {header},
	                                .ca_file = aws_ca_file(),
	                                .connect_ms = NEAR_MS};
	struct http_client_answer a;
	struct err err = ERR_INIT;
	if (!http_client_do(&r, &a, &err))
		return false;
	bool good = a.status == 200;
	if (good)
		set_text(ret, buf_str(&a.body));
	http_client_answer_release(&a);
	return good;
}

enum found credentials_container(struct credentials *c, struct err *err)
{
	const char *full = aws_env("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
			   *relative = aws_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *file = aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
			   *token = aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	struct buf url = BUF_INIT, text = BUF_INIT, header = BUF_INIT, answer = BUF_INIT;
	if (!full && !relative)
		return FOUND_NOTHING;
	buf_addf(&url, "%s%s", full ? "" : "http://169.254.170.2", full ? full : relative);
	bool good = !file || file_read(file, CREDENTIALS_FILE_MAX, &text, err);
	if (good && (file || token))
		buf_addf(&header, "Authorization: %.*s", STR_ARG(file ? str_trim(buf_str(&text)) : str_of(token)));
	if (good && !(get_nearby(NULL, url.data, header.data, &answer) &&
	              credentials_take_json(c, buf_str(&answer), NULL, machine_names, "container")))
		good = err_set(
			err, ERR_CONFIG,
			"the container's credentials are at %s (AWS_CONTAINER_CREDENTIALS_...), and it gives none: has the task or pod a role?",
			url.data);
	buf_release(&url);
	buf_release(&text);
	buf_release(&header);
	buf_release(&answer);
	return good ? FOUND : FOUND_BROKEN;
}

enum found credentials_machine(struct credentials *c, struct err *err)
{
	const char *base = aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
			   *disabled = aws_env("AWS_EC2_METADATA_DISABLED");
	struct buf url = BUF_INIT, header = BUF_INIT, token = BUF_INIT, role = BUF_INIT, answer = BUF_INIT;
	(void)err;
	if (disabled && strcmp(disabled, "true") == 0)
		return FOUND_NOTHING;
	base = base ? base : "http://169.254.169.254";
	buf_addf(&url, "%s/latest/api/token", base);
	bool good = get_nearby("PUT", url.data, "X-aws-ec2-metadata-token-ttl-seconds: 300", &token);
	if (good) {
		buf_addf(&header, "X-aws-ec2-metadata-token: %s", token.data);
		buf_clear(&url);
		buf_addf(&url, "%s/latest/meta-data/iam/security-credentials/", base);
		good = get_nearby(NULL, url.data, header.data, &role) && role.len;
	}
	if (good) {
		struct str rest = buf_str(&role), name = str_trim(str_cut(&rest, '\n'));
		buf_addstr(&url, name);
		good = get_nearby(NULL, url.data, header.data, &answer) &&
		       credentials_take_json(c, buf_str(&answer), NULL, machine_names, "machine");
	}
	buf_release(&url);
	buf_release(&header);
	buf_release(&token);
	buf_release(&role);
	buf_release(&answer);
	return good ? FOUND : FOUND_NOTHING;
}

// ---- the chain ----------------------------------------------------------------------------------

bool credentials_find(struct credentials *ret, struct err *err)
{
	static enum found (*const chain[])(struct credentials *, struct err *) = {
		credentials_environment, web_identity, credentials_profile, credentials_container,
		credentials_machine};
	const char *profile = aws_env("AWS_PROFILE");
	*ret = (struct credentials){0};
	for (size_t i = 0; i < sizeof chain / sizeof *chain; i++) {
		enum found found = chain[i](ret, err);
		if (found != FOUND_NOTHING)
			return found == FOUND;
	}
	return err_set(
		err, ERR_CONFIG,
		"no AWS credentials: looked at AWS_ACCESS_KEY_ID, AWS_WEB_IDENTITY_TOKEN_FILE, profile \"%s\" in ~/.aws, the container's and "
		"the machine's role",
		profile ? profile : "default");
}

void credentials_release(struct credentials *c)
{
	buf_release(&c->access_key);
	if (c->secret_key.data)
		explicit_bzero(c->secret_key.data, c->secret_key.len);
	buf_release(&c->secret_key);
	buf_release(&c->session_token);
	buf_release(&c->region);
}
