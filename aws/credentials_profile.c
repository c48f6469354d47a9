// SPDX-License-Identifier: Apache-2.0
// A profile of ~/.aws: of the two files, the first that has a key is used.
//
//   role_arn          a role, assumed by source_profile or credential_source, or by web_identity_token_file
//   sso_session, sso_account_id, sso_role_name (or sso_start_url, sso_region)
//                     single sign-on: `aws sso login` left a token below ~/.aws/sso/cache, for which the
//                     portal gives the role's credentials
//   aws_access_key_id, aws_secret_access_key, aws_session_token
//   credential_process
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aws/credentials_priv.h"
#include "aws/endpoint.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/when.h"

enum { ROLES_MAX = 4 }; // a role assumed by a role assumed by ...

struct profiles {
	struct buf credentials, config;
};

static void read_profile_file(const char *variable, const char *name, struct buf *ret)
{
	struct buf path = BUF_INIT;
	struct err none = ERR_INIT;
	const char *set = aws_env(variable), *home = aws_env("HOME");
	if (set)
		buf_adds(&path, set);
	else
		buf_addf(&path, "%s/.aws/%s", home ? home : "", name);
	if (access(path.data, F_OK) == 0 && !file_read(path.data, CREDENTIALS_FILE_MAX, ret, &none))
		buf_clear(ret);
	buf_release(&path);
}

struct str aws_ini_get(struct str text, const char *kind, struct str section, const char *key)
{
	bool inside = false;
	while (text.len) {
		struct str line = str_trim(str_cut(&text, '\n'));
		if (!line.len || line.p[0] == '#' || line.p[0] == ';')
			continue;
		if (line.p[0] == '[') {
			struct str name = {line.p + 1, line.len - 1}, first;
			first = name = str_trim(str_cut(&name, ']'));
			if (str_is(str_cut(&first, ' '), kind) && first.len)
				name = str_trim(first);
			else if (strcmp(kind, "profile") != 0)
				name = STR_NONE;
			inside = str_eq(name, section);
			if (inside && !key)
				return section;
			continue;
		}
		struct str value = line, name = str_trim(str_cut(&value, '='));
		if (inside && key && str_is(name, key))
			return str_trim(value);
	}
	return STR_NONE;
}

static struct str profile_get(const struct profiles *p, struct str profile, const char *key)
{
	struct str value = aws_ini_get(buf_str(&p->credentials), "profile", profile, key);
	return value.len ? value : aws_ini_get(buf_str(&p->config), "profile", profile, key);
}

// ---- single sign-on -----------------------------------------------------------------------------

// The file of the token: named by the SHA-1 of the session's name, or of the start URL.
static bool read_token(struct str of, struct buf *ret_json, struct buf *ret_path)
{
	char name[SHA1_HEX_SIZE];
	struct err none = ERR_INIT;
	const char *home = aws_env("HOME");
	sha1_hex(of, name);
	buf_addf(ret_path, "%s/.aws/sso/cache/%s.json", home ? home : "", name);
	return file_read(ret_path->data, CREDENTIALS_FILE_MAX, ret_json, &none);
}

// "2026-11-22T10:00:00Z", or as older tools wrote it, "2026-11-22T10:00:00UTC". One that cannot be read
// counts as valid: the portal decides.
static bool is_expired(const char *at)
{
	struct str s = str_of(at);
	int64_t ms;
	if (str_ends(s, STR("UTC")))
		s.len -= 3;
	return s.len && when_parse(s, &ms) && ms <= when_now_ms();
}

static enum found ask_portal(struct credentials *c, struct str profile, struct str region, struct str account,
                             struct str role, const char *token, struct err *err)
{
	static const char *const names[] = {"accessKeyId", "secretAccessKey", "sessionToken"};
	const char *endpoint = aws_endpoint("SSO");
	struct buf url = BUF_INIT, header = BUF_INIT;
	struct http_client_answer a;
	if (endpoint)
		buf_adds(&url, endpoint);
	else
		buf_addf(&url, "https://portal.sso.%.*s.amazonaws.com", STR_ARG(region));
	buf_adds(&url, "/federation/credentials?account_id=");
	buf_add_url_part(&url, account, false);
	buf_adds(&url, "&role_name=");
	buf_add_url_part(&url, role, false);
	buf_addf(&header, "x-amz-sso_bearer_token: %s", token);
	const struct http_client_request r = {
		.url = url.data, .headers = {header.data}, .ca_file = aws_ca_file()};
	bool answered = http_client_do(&r, &a, err), good = false;
	explicit_bzero(header.data, header.len);
	if (answered) {
		good = a.status == 200 &&
		       credentials_take_json(c, buf_str(&a.body), "roleCredentials", names, "single sign-on");
		if (!good && a.status == 401)
			err_set(
				err, ERR_CONFIG,
				"profile \"%.*s\": the single sign-on session is over (status 401): run `aws sso login --profile %.*s`",
				STR_ARG(profile), STR_ARG(profile));
		else if (!good)
			err_set(
				err, a.status >= 500 ? ERR_RETRY : ERR_CONFIG,
				"profile \"%.*s\": the sign-on portal does not give role %.*s of account %.*s (status %ld): is it assigned to you?",
				STR_ARG(profile), STR_ARG(role), STR_ARG(account), a.status);
		http_client_answer_release(&a);
	}
	buf_release(&url);
	buf_release(&header);
	return good ? FOUND : FOUND_BROKEN;
}

static enum found from_sso(struct credentials *c, const struct profiles *p, struct str profile,
                           struct err *err)
{
	struct str session = profile_get(p, profile, "sso_session"),
			   url = profile_get(p, profile, "sso_start_url"), region = profile_get(p, profile, "sso_region");
	struct str account = profile_get(p, profile, "sso_account_id"),
			   role = profile_get(p, profile, "sso_role_name");
	if (!account.len || !role.len || !(session.len || url.len))
		return FOUND_NOTHING;
	if (session.len)
		region = aws_ini_get(buf_str(&p->config), "sso-session", session, "sso_region");
	if (!region.len) {
		err_set(err, ERR_CONFIG, "profile \"%.*s\": no sso_region%s%.*s in ~/.aws/config", STR_ARG(profile),
		        session.len ? " in sso-session " : "", STR_ARG(session));
		return FOUND_BROKEN;
	}
	struct buf text = BUF_INIT, path = BUF_INIT;
	enum found found = FOUND_BROKEN;
	json_t *root = read_token(session.len ? session : url, &text, &path)
	                   ? json_loadb(text.data, text.len, 0, NULL)
	                   : NULL;
	const char *token = json_string_value(json_object_get(root, "accessToken")),
			   *until = json_string_value(json_object_get(root, "expiresAt"));
	if (!token)
		err_set(err, ERR_CONFIG,
		        "profile \"%.*s\": nobody has signed on (no token in %s): run `aws sso login --profile %.*s`",
		        STR_ARG(profile), path.data, STR_ARG(profile));
	else if (is_expired(until))
		err_set(
			err, ERR_CONFIG,
			"profile \"%.*s\": the single sign-on session ended at %s: run `aws sso login --profile %.*s`",
			STR_ARG(profile), until, STR_ARG(profile));
	else
		found = ask_portal(c, profile, region, account, role, token, err);
	json_decref(root);
	buf_release(&text);
	buf_release(&path);
	return found;
}

// ---- keys, a process ----------------------------------------------------------------------------

static enum found from_keys(struct credentials *c, const struct profiles *p, struct str profile)
{
	const struct buf *files[] = {&p->credentials, &p->config};
	for (int i = 0; i < 2; i++) {
		struct str text = buf_str(files[i]), key = aws_ini_get(text, "profile", profile, "aws_access_key_id"),
				   secret = aws_ini_get(text, "profile", profile, "aws_secret_access_key");
		if (!key.len || !secret.len)
			continue;
		credentials_set(c, key, secret, aws_ini_get(text, "profile", profile, "aws_session_token"),
		                "profile");
		return FOUND;
	}
	return FOUND_NOTHING;
}

static enum found from_process(struct credentials *c, const struct profiles *p, struct str profile,
                               struct err *err)
{
	static const char *const names[] = {"AccessKeyId", "SecretAccessKey", "SessionToken"};
	struct str command = profile_get(p, profile, "credential_process");
	struct buf line = BUF_INIT, out = BUF_INIT;
	char piece[4096];
	size_t n;
	if (!command.len)
		return FOUND_NOTHING;
	buf_addstr(&line, command);
	FILE *f = popen(line.data, "r");
	while (f && out.len < CREDENTIALS_FILE_MAX && (n = fread(piece, 1, sizeof piece, f)) > 0)
		buf_add(&out, piece, n);
	int status = f ? pclose(f) : -1;
	bool good = status == 0 && credentials_take_json(c, buf_str(&out), NULL, names, "credential_process");
	if (!good)
		err_set(err, ERR_CONFIG,
		        "profile \"%.*s\": its credential_process gives no credentials (exit status %d): %s",
		        STR_ARG(profile), WIFEXITED(status) ? WEXITSTATUS(status) : -1, line.data);
	if (out.data)
		explicit_bzero(out.data, out.len);
	buf_release(&line);
	buf_release(&out);
	return good ? FOUND : FOUND_BROKEN;
}

// ---- a role -------------------------------------------------------------------------------------

static enum found from_profile(struct credentials *c, const struct profiles *p, struct str profile, int depth,
                               struct err *err);

// The credentials that assume the role.
static enum found role_source(struct credentials *by, const struct profiles *p, struct str profile, int depth,
                              struct err *err)
{
	struct str source = profile_get(p, profile, "source_profile"),
			   place = profile_get(p, profile, "credential_source");
	if (source.len && str_eq(source, profile))
		return from_keys(by, p, profile);
	if (source.len)
		return from_profile(by, p, source, depth + 1, err);
	if (str_is(place, "Environment"))
		return credentials_environment(by, err);
	if (str_is(place, "EcsContainer"))
		return credentials_container(by, err);
	return str_is(place, "Ec2InstanceMetadata") ? credentials_machine(by, err) : FOUND_NOTHING;
}

static enum found from_role(struct credentials *c, const struct profiles *p, struct str profile, int depth,
                            struct err *err)
{
	struct str role = profile_get(p, profile, "role_arn"), region = profile_get(p, profile, "region"),
			   token = profile_get(p, profile, "web_identity_token_file");
	struct credentials by = {0};
	struct buf file = BUF_INIT;
	enum found found;
	if (!role.len)
		return FOUND_NOTHING;
	if (depth >= ROLES_MAX) {
		err_set(
			err, ERR_CONFIG,
			"profile \"%.*s\": its source_profile leads to another one, and that again, more than %d times",
			STR_ARG(profile), ROLES_MAX);
		return FOUND_BROKEN;
	}
	if (token.len) {
		buf_addstr(&file, token);
		found = credentials_of_token(c, file.data, role, region, err);
		buf_release(&file);
		return found;
	}
	found = role_source(&by, p, profile, depth, err);
	if (found == FOUND)
		found = credentials_of_role(c, &by, role, profile_get(p, profile, "external_id"), region, err);
	else if (found == FOUND_NOTHING)
		err_set(
			err, ERR_CONFIG,
			"profile \"%.*s\" is the role %.*s, and its source_profile or credential_source has no credentials to assume it by",
			STR_ARG(profile), STR_ARG(role));
	credentials_release(&by);
	return found == FOUND ? FOUND : FOUND_BROKEN;
}

static enum found from_profile(struct credentials *c, const struct profiles *p, struct str profile, int depth,
                               struct err *err)
{
	enum found found = from_role(c, p, profile, depth, err);
	if (found == FOUND_NOTHING)
		found = from_sso(c, p, profile, err);
	if (found == FOUND_NOTHING)
		found = from_keys(c, p, profile);
	return found == FOUND_NOTHING ? from_process(c, p, profile, err) : found;
}

enum found credentials_profile(struct credentials *c, struct err *err)
{
	struct profiles p = {BUF_INIT, BUF_INIT};
	const char *named = aws_env("AWS_PROFILE");
	struct str profile = named ? str_of(named) : STR("default");
	read_profile_file("AWS_SHARED_CREDENTIALS_FILE", "credentials", &p.credentials);
	read_profile_file("AWS_CONFIG_FILE", "config", &p.config);
	enum found found = FOUND_BROKEN;
	buf_addstr(&c->region, profile_get(&p, profile, "region"));
	if (named && !profile_get(&p, profile, NULL).len)
		err_set(
			err, ERR_CONFIG,
			"AWS_PROFILE is \"%s\", and neither ~/.aws/credentials nor ~/.aws/config has a profile of that name",
			named);
	else
		found = from_profile(c, &p, profile, 0, err);
	if (p.credentials.data)
		explicit_bzero(p.credentials.data, p.credentials.len);
	buf_release(&p.credentials);
	buf_release(&p.config);
	return found;
}
