// SPDX-License-Identifier: Apache-2.0
#include "reconcile/credentials.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/when.h"

enum { FILE_MAX_BYTES = 1 << 20, NEAR_MS = 1000 };

static void set(struct buf *b, struct str s)
{
	buf_clear(b);
	buf_addstr(b, s);
}

static bool is_set(const char *name)
{
	const char *v = getenv(name);
	return v && *v;
}

static bool read_text(const char *path, struct buf *ret)
{
	char piece[4096];
	size_t n;
	FILE *f = fopen(path, "r");
	if (!f)
		return false;
	while (ret->len < FILE_MAX_BYTES && (n = fread(piece, 1, sizeof piece, f)) > 0)
		buf_add(ret, piece, n);
	fclose(f);
	return true;
}

// {"AccessKeyId", "SecretAccessKey", "Token" or "SessionToken"}: what processes, containers and machines answer.
static bool take_json(struct credentials *c, struct str text, const char *origin)
{
	json_t *root = json_loadb(text.p ? text.p : "", text.len, 0, NULL);
	const char *key = json_string_value(json_object_get(root, "AccessKeyId")), *secret = json_string_value(json_object_get(root, "SecretAccessKey"));
	const char *token = json_string_value(json_object_get(root, "Token"));
	if (!token)
		token = json_string_value(json_object_get(root, "SessionToken"));
	if (key && secret) {
		set(&c->access_key, str_of(key));
		set(&c->secret_key, str_of(secret));
		set(&c->session_token, str_of(token));
		c->origin = origin;
	}
	json_decref(root);
	return key && secret;
}

// ---- environment and files -----------------------------------------------------------------------------------------

static bool from_environment(struct credentials *c)
{
	if (!is_set("AWS_ACCESS_KEY_ID") || !is_set("AWS_SECRET_ACCESS_KEY"))
		return false;
	set(&c->access_key, str_of(getenv("AWS_ACCESS_KEY_ID")));
	set(&c->secret_key, str_of(getenv("AWS_SECRET_ACCESS_KEY")));
	set(&c->session_token, str_of(getenv("AWS_SESSION_TOKEN")));
	c->origin = "environment";
	return true;
}

static struct str trim(struct str s)
{
	while (s.len && (s.p[0] == ' ' || s.p[0] == '\t'))
		s.p++, s.len--;
	while (s.len && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t' || s.p[s.len - 1] == '\r'))
		s.len--;
	return s;
}

// The value of a key in a section of an INI file; STR_NONE if it is not there.
static struct str ini_get(struct str text, struct str section, const char *key)
{
	bool inside = false;
	while (text.len) {
		struct str line = trim(str_cut(&text, '\n'));
		if (!line.len || line.p[0] == '#' || line.p[0] == ';')
			continue;
		if (line.p[0] == '[') {
			struct str name = {line.p + 1, line.len - 1};
			name = trim(str_cut(&name, ']'));
			if (str_starts(name, STR("profile ")))
				name = trim((struct str){name.p + 8, name.len - 8});
			inside = str_eq(name, section);
			continue;
		}
		struct str value = line, name = trim(str_cut(&value, '='));
		if (inside && str_is(name, key))
			return trim(value);
	}
	return STR_NONE;
}

static void aws_file(const char *variable, const char *name, struct buf *ret)
{
	struct buf path = BUF_INIT;
	if (is_set(variable))
		buf_adds(&path, getenv(variable));
	else
		buf_addf(&path, "%s/.aws/%s", is_set("HOME") ? getenv("HOME") : "", name);
	if (!read_text(path.data, ret))
		buf_clear(ret);
	buf_release(&path);
}

static bool from_process(struct credentials *c, struct str command)
{
	struct buf line = BUF_INIT, out = BUF_INIT;
	char piece[4096];
	size_t n;
	buf_addstr(&line, command);
	FILE *f = popen(line.data, "r");
	while (f && out.len < FILE_MAX_BYTES && (n = fread(piece, 1, sizeof piece, f)) > 0)
		buf_add(&out, piece, n);
	bool good = f && pclose(f) == 0 && take_json(c, buf_str(&out), "credential_process");
	buf_release(&line);
	buf_release(&out);
	return good;
}

static bool from_profile(struct credentials *c)
{
	struct buf files[2] = {BUF_INIT, BUF_INIT};
	struct str profile = is_set("AWS_PROFILE") ? str_of(getenv("AWS_PROFILE")) : STR("default");
	bool good = false;
	aws_file("AWS_SHARED_CREDENTIALS_FILE", "credentials", &files[0]);
	aws_file("AWS_CONFIG_FILE", "config", &files[1]);
	set(&c->region, ini_get(buf_str(&files[1]), profile, "region"));
	for (int i = 0; i < 2 && !good; i++) {
		struct str text = buf_str(&files[i]), key = ini_get(text, profile, "aws_access_key_id"), secret = ini_get(text, profile, "aws_secret_access_key");
		struct str process = ini_get(text, profile, "credential_process");
		if (key.len && secret.len) {
			set(&c->access_key, key);
			set(&c->secret_key, secret);
			set(&c->session_token, ini_get(text, profile, "aws_session_token"));
			c->origin = "profile";
			good = true;
		} else if (process.len) {
			good = from_process(c, process);
		}
	}
	buf_release(&files[0]);
	buf_release(&files[1]);
	return good;
}

// ---- asked over HTTP -----------------------------------------------------------------------------------------------

static bool ask(const char *method, const char *url, const char *header, struct buf *ret)
{
	struct http_request r = {.method = method, .url = url, .headers = {header}, .connect_ms = NEAR_MS};
	struct http_answer a;
	struct err err = ERR_INIT;
	if (!http_do(&r, &a, &err))
		return false;
	bool good = a.status == 200;
	if (good)
		set(ret, buf_str(&a.body));
	http_answer_release(&a);
	return good;
}

static struct str between(struct str s, const char *open, const char *close)
{
	const char *from = memmem(s.p ? s.p : "", s.len, open, strlen(open));
	if (!from)
		return STR_NONE;
	from += strlen(open);
	const char *to = memmem(from, (size_t)(s.p + s.len - from), close, strlen(close));
	return to ? (struct str){from, (size_t)(to - from)} : STR_NONE;
}

static bool from_web_identity(struct credentials *c)
{
	struct buf token = BUF_INIT, url = BUF_INIT, answer = BUF_INIT;
	const char *region = is_set("AWS_REGION") ? getenv("AWS_REGION") : "us-east-1", *endpoint = getenv("AWS_ENDPOINT_URL_STS");
	if (!is_set("AWS_WEB_IDENTITY_TOKEN_FILE") || !is_set("AWS_ROLE_ARN") || !read_text(getenv("AWS_WEB_IDENTITY_TOKEN_FILE"), &token))
		return false;
	if (endpoint && *endpoint)
		buf_adds(&url, endpoint);
	else
		buf_addf(&url, "https://sts.%s.amazonaws.com", region);
	buf_adds(&url, "/?Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=nowcast&RoleArn=");
	buf_add_url_part(&url, str_of(getenv("AWS_ROLE_ARN")), false);
	buf_adds(&url, "&WebIdentityToken=");
	buf_add_url_part(&url, trim(buf_str(&token)), false);
	bool good = ask(NULL, url.data, NULL, &answer);
	struct str xml = buf_str(&answer), key = between(xml, "<AccessKeyId>", "</"), secret = between(xml, "<SecretAccessKey>", "</");
	good = good && key.len && secret.len;
	if (good) {
		set(&c->access_key, key);
		set(&c->secret_key, secret);
		set(&c->session_token, between(xml, "<SessionToken>", "</"));
		c->origin = "web identity";
	}
	buf_release(&token);
	buf_release(&url);
	buf_release(&answer);
	return good;
}

static bool from_container(struct credentials *c)
{
	struct buf url = BUF_INIT, token = BUF_INIT, header = BUF_INIT, answer = BUF_INIT;
	if (is_set("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
		buf_adds(&url, getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI"));
	else if (is_set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"))
		buf_addf(&url, "http://169.254.170.2%s", getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"));
	else
		return false;
	if (is_set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") && read_text(getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"), &token))
		buf_addf(&header, "Authorization: %.*s", STR_ARG(trim(buf_str(&token))));
	else if (is_set("AWS_CONTAINER_AUTHORIZATION_TOKEN"))
		buf_addf(&header, "Authorization: %s", getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN"));
	bool good = ask(NULL, url.data, header.len ? header.data : NULL, &answer) && take_json(c, buf_str(&answer), "container");
	buf_release(&url);
	buf_release(&token);
	buf_release(&header);
	buf_release(&answer);
	return good;
}

static bool from_machine(struct credentials *c)
{
	const char *base = is_set("AWS_EC2_METADATA_SERVICE_ENDPOINT") ? getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT") : "http://169.254.169.254";
	const char *disabled = getenv("AWS_EC2_METADATA_DISABLED");
	struct buf url = BUF_INIT, header = BUF_INIT, token = BUF_INIT, role = BUF_INIT, answer = BUF_INIT;
	if (disabled && strcmp(disabled, "true") == 0)
		return false;
	buf_addf(&url, "%s/latest/api/token", base);
	bool good = ask("PUT", url.data, "X-aws-ec2-metadata-token-ttl-seconds: 300", &token);
	if (good) {
		buf_addf(&header, "X-aws-ec2-metadata-token: %s", token.data);
		buf_clear(&url);
		buf_addf(&url, "%s/latest/meta-data/iam/security-credentials/", base);
		good = ask(NULL, url.data, header.data, &role) && role.len;
	}
	if (good) {
		struct str rest = buf_str(&role), name = trim(str_cut(&rest, '\n'));
		buf_addstr(&url, name);
		good = ask(NULL, url.data, header.data, &answer) && take_json(c, buf_str(&answer), "machine");
	}
	buf_release(&url);
	buf_release(&header);
	buf_release(&token);
	buf_release(&role);
	buf_release(&answer);
	return good;
}

// ---- the chain -----------------------------------------------------------------------------------------------------

bool credentials_find(struct credentials *ret, struct err *err)
{
	*ret = (struct credentials){0};
	if (from_environment(ret) || from_web_identity(ret) || from_profile(ret) || from_container(ret) || from_machine(ret))
		return true;
	return err_set(err, ERR_CONFIG, "no AWS credentials: looked at AWS_ACCESS_KEY_ID, AWS_WEB_IDENTITY_TOKEN_FILE, profile \"%s\" in ~/.aws, the container's and "
	               "the machine's role", is_set("AWS_PROFILE") ? getenv("AWS_PROFILE") : "default");
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
