// SPDX-License-Identifier: Apache-2.0
// Flags of the configuration are recognised anywhere, by the table of keys. Other flags are left for the
// subcommand. Those must not come before its name: in "nowcast --by hour report", `hour` could be the
// subcommand.
#include "base/command.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/nearest.h"
#include "base/text.h"
#include "base/when.h"

bool command_flag_is_secret(struct command_flag f)
{
	return (str_starts(f.key, STR("kafka.")) && conf_is_secret(f.key)) || url_secret(str_of(f.value)).len;
}

static void overwrite(char *text, size_t n)
{
	memset(text, '*', n);
}

// Copies the arguments, and overwrites the secrets in the original.
static void take_arguments(struct command *c, int argc, char **argv)
{
	bool next_is_secret = false; // the value of --kafka.sasl.password
	c->words = xcalloc((size_t)argc + 1, sizeof *c->words);
	for (int i = 0; i < argc; i++) {
		c->words[i] = xstrdup(str_of(argv[i]));
		struct str rest = str_of(argv[i]), secret = url_secret(rest), name = str_cut(&rest, '=');
		bool secret_flag = str_starts(name, STR("--kafka.")) && conf_is_secret(name);
		if (next_is_secret)
			overwrite(argv[i], strlen(argv[i]));
		else if (secret_flag && rest.len)
			overwrite(argv[i] + name.len + 1, rest.len);
		else if (secret.len)
			overwrite(argv[i] + (secret.p - argv[i]), secret.len);
		next_is_secret = secret_flag && !rest.p && !next_is_secret;
	}
}

static void add_flag(struct command *c, struct str key, const char *value)
{
	c->flags = xrealloc(c->flags, c->nflags + 1, sizeof *c->flags);
	c->flags[c->nflags++] = (struct command_flag){key, value};
}

// Takes argv[*i], and its value from argv[*i + 1] if there is no "=". *ret_taken: it is a flag of all
// subcommands.
static bool take_shared_flag(struct command *c, char **argv, int *i, bool *ret_taken, struct err *err)
{
	struct str rest = str_of(argv[*i] + 2), flag = str_cut(&rest, '='), key;
	bool is_config = str_is(flag, "config");
	*ret_taken = is_config || conf_flag_key(flag, &key);
	if (!*ret_taken)
		return true;
	const char *value = rest.p;
	if (!value) {
		value = argv[*i + 1];
		if (!value)
			return err_set(err, ERR_CONFIG, "%s: its value is missing", argv[*i]);
		++*i;
	}
	if (is_config)
		c->config = value;
	else
		add_flag(c, key, value);
	return true;
}

// Those of the subcommand stand in its synopsis: "[--by KEYS] [--json]".
static void try_synopsis(struct nearest *near, const char *synopsis)
{
	while (synopsis && (synopsis = strstr(synopsis, "--"))) {
		struct str flag = {synopsis + 2, strspn(synopsis + 2, "abcdefghijklmnopqrstuvwxyz-")};
		nearest_try(near, flag);
		synopsis = flag.p + flag.len;
	}
}

// Whether the synopsis has the word in "--format table|csv|json".
static bool is_format(const char *synopsis, struct str word)
{
	while (synopsis && (synopsis = strstr(synopsis, "--format "))) {
		synopsis += strlen("--format ");
		struct str words = {synopsis, strspn(synopsis, "abcdefghijklmnopqrstuvwxyz|")};
		while (words.len)
			if (str_eq(str_cut(&words, '|'), word))
				return true;
	}
	return false;
}

// Only the name is shown: the value may be a secret.
static bool refuse_unknown_flag(const struct command *c, const char *text, struct err *err)
{
	struct str flag = {text, strcspn(text, "=")};
	size_t dashes = strspn(text, "-");
	struct nearest near = nearest_of((struct str){flag.p + dashes, flag.len - dashes});
	struct arena arena = ARENA_INIT;
	char meant[80] = "", key[CONF_FLAG_SIZE];
	for (size_t i = 0; i < conf_nkeys; i++)
		nearest_try(&near, arena_text(&arena, "%s", conf_key_flag(&conf_keys[i], key) + 2));
	try_synopsis(&near, c->synopsis);
	try_synopsis(&near, c->details);
	// A flag of another verb of the same subcommand, such as --model of `price explain` in `price list`.
	bool elsewhere = dashes == 2 && str_eq(near.word, (struct str){flag.p + dashes, flag.len - dashes});
	if (is_format(c->synopsis, near.given))
		snprintf(meant, sizeof meant, "did you mean --format %.*s? ", STR_ARG(near.given));
	else if (near.word.len && !elsewhere)
		snprintf(meant, sizeof meant, "did you mean --%.*s? ", STR_ARG(near.word));
	arena_release(&arena);
	if (!c->name)
		return err_set(err, ERR_CONFIG,
		               "unknown flag %.*s before the subcommand; %s`nowcast help` lists both", STR_ARG(flag),
		               meant);
	if (elsewhere)
		return err_set(err, ERR_CONFIG, "%.*s does not go with this use of it; `nowcast help %s` says where it does",
		               STR_ARG(flag), c->name);
	return err_set(err, ERR_CONFIG, "unknown flag %.*s; %s`nowcast help %s` lists them", STR_ARG(flag), meant,
	               c->name);
}

static bool parse_arguments(struct command *c, int argc, char **argv, struct err *err)
{
	bool plain = false; // behind "--" nothing is a flag
	c->argv = xcalloc((size_t)argc + 1, sizeof *c->argv);
	for (int i = 1; i < argc; i++) {
		bool taken = false;
		if (!plain && strcmp(argv[i], "--") == 0) {
			plain = true;
			if (c->name)
				c->argv[c->argc++] = argv[i];
			continue;
		}
		if (!plain && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0))
			c->help = taken = true;
		else if (!plain && !c->name && (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-V") == 0))
			c->version = taken = true;
		else if (!plain && strncmp(argv[i], "--", 2) == 0 && !take_shared_flag(c, argv, &i, &taken, err))
			return false;
		if (taken)
			continue;
		if (c->name)
			c->argv[c->argc++] = argv[i];
		else if (argv[i][0] == '-')
			return refuse_unknown_flag(c, argv[i], err);
		else
			c->name = argv[i];
	}
	return true;
}

bool command_load(const struct command *c, struct conf *ret, struct err *err)
{
	size_t before = err_listed(err);
	conf_init(ret);
	for (size_t i = 0; i < c->nflags; i++) {
		struct command_flag f = c->flags[i];
		if (!conf_set(ret, f.key, str_of(f.value), (struct conf_origin){CONF_FLAG, 0}, err) &&
		    (err_prefix(err, "on the command line"), !err_collect(err)))
			return false;
	}
	return (conf_read_env(ret, environ, err) || err_collect(err)) &&
	       (!c->config || conf_read_file(ret, c->config, err) || err_collect(err)) &&
	       (conf_read_secrets(ret, err) || err_collect(err)) && (conf_check(ret, err) || err_collect(err)) &&
	       err_check(err, before);
}

bool command_init(struct command *c, int argc, char **argv, struct err *err)
{
	*c = (struct command){.config = getenv("NOWCAST_CONFIG")};
	if (c->config && !*c->config)
		c->config = NULL;
	take_arguments(c, argc, argv);
	return parse_arguments(c, argc, c->words, err);
}

bool command_configure(struct command *c, struct err *err)
{
	if (!command_load(c, &c->conf, err))
		return false;
	log_setup((enum log_level)c->conf.log_level, (enum log_format)c->conf.log_format, c->conf.log_time);
	return true;
}

void command_release(struct command *c)
{
	conf_release(&c->conf);
	free(c->flags);
	free(c->argv);
	for (char **word = c->words; word && *word; word++) {
		explicit_bzero(*word, strlen(*word));
		free(*word);
	}
	free(c->words);
}

static void remove_arguments(struct command *c, int at, int n)
{
	assert(at >= 0 && n > 0 && at + n <= c->argc);
	memmove(c->argv + at, c->argv + at + n, (size_t)(c->argc - at - n + 1) * sizeof *c->argv);
	c->argc -= n;
}

bool command_option_next(struct command *c, const char *name, const char **ret_value, struct err *err)
{
	for (int i = 0; i < c->argc && strcmp(c->argv[i], "--") != 0; i++) {
		struct str rest = str_of(c->argv[i]), flag = str_cut(&rest, '=');
		if (!str_is(flag, name))
			continue;
		if (!rest.p && i + 1 == c->argc)
			return err_set(err, ERR_CONFIG, "%s: its value is missing", name);
		*ret_value = rest.p ? rest.p : c->argv[i + 1];
		remove_arguments(c, i, rest.p ? 1 : 2);
		return true;
	}
	return true;
}

bool command_option(struct command *c, const char *name, const char **ret_value, struct err *err)
{
	for (const char *value = NULL; command_option_next(c, name, &value, err); value = NULL) {
		if (!value)
			return true;
		*ret_value = value;
	}
	return false;
}

bool command_time(struct command *c, const char *flag, int64_t *ret_ms, struct err *err)
{
	const char *text = NULL;
	if (!command_option(c, flag, &text, err))
		return false;
	return !text || when_parse(str_of(text), ret_ms) ||
	       when_parse_clock(str_of(text), when_now_ms(), ret_ms) ||
	       err_set(err, ERR_CONFIG,
	               "%s: expected a time like 2026-11-02T05:00:00Z, 2026-11-02 or 05:00, got \"%s\"", flag,
	               text);
}

bool command_now(struct command *c, int64_t *ret_ms, struct err *err)
{
	*ret_ms = when_now_ms();
	return command_time(c, "--now", ret_ms, err);
}

const char *command_argument(struct command *c, int at)
{
	const char *word = c->argc > at ? c->argv[at] : NULL;
	for (int i = 0; i <= at && word; i++)
		if (c->argv[i][0] == '-')
			return NULL;
	if (word)
		remove_arguments(c, at, 1);
	return word;
}

static bool is_word_of(struct str words, struct str given, struct nearest *near)
{
	bool found = false;
	while (words.len) {
		struct str word = str_cut(&words, ' ');
		if (str_is(word, "or"))
			continue;
		word.len -= str_ends(word, STR(","));
		found |= str_eq(word, given);
		nearest_try(near, word);
	}
	return found;
}

const char *command_verb(struct command *c, const char *words, struct err *err)
{
	int at = c->argc > 1 && strcmp(c->argv[0], "--now") == 0            ? 2
	         : c->argc > 0 && str_starts(str_of(c->argv[0]), STR("--now=")) ? 1
	                                                                        : 0;
	const char *given = c->argc > at ? c->argv[at] : "";
	struct nearest near = nearest_of(str_of(given));
	if (is_word_of(str_of(words), str_of(given), &near)) {
		remove_arguments(c, at, 1);
		return c->verb = given;
	}
	if (given[0] == '-')
		err_set(err, ERR_CONFIG, "expected %s, got none before %.*s; `nowcast help %s` says more", words,
		        (int)strcspn(given, "="), given, c->name);
	else
		err_set(err, ERR_CONFIG, "expected %s, got %s%s%.*s%s `nowcast help %s` says more", words,
		        *given ? given : "nothing", near.word.len ? "; did you mean " : "", STR_ARG(near.word),
		        near.word.len ? "?" : ";", c->name);
	return NULL;
}

bool command_switch(struct command *c, const char *name)
{
	bool found = false;
	for (int i = 0; i < c->argc && strcmp(c->argv[i], "--") != 0;) {
		if (strcmp(c->argv[i], name) == 0) {
			remove_arguments(c, i, 1);
			found = true;
		} else {
			i++;
		}
	}
	return found;
}

// How the verb is called: a part of the synopsis, "import FILE... | show ARN", or else a line of the details,
// where three blanks end it.
static struct str verb_form(const struct command *c, struct arena *arena)
{
	struct str start = arena_text(arena, "%s ", c->verb), rest = str_of(c->synopsis), line;
	while (rest.len) {
		const char *end = memmem(rest.p, rest.len, " | ", 3);
		line = end ? (struct str){rest.p, (size_t)(end - rest.p)} : rest;
		if (str_starts(line, start))
			return line;
		rest = end ? (struct str){end + 3, rest.len - line.len - 3} : STR_NONE;
	}
	for (rest = str_of(c->details); rest.len;) {
		line = str_cut(&rest, '\n');
		const char *end = memmem(line.p, line.len, "   ", 3);
		if (str_starts(line, start))
			return end ? (struct str){line.p, (size_t)(end - line.p)} : line;
	}
	return str_of(c->verb);
}

static bool refuse_missing(const struct command *c, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct str form = c->verb ? verb_form(c, &arena) : str_of(c->synopsis);
	bool good = err_set(err, ERR_CONFIG, "an argument is missing: nowcast %s %.*s; `nowcast help %s` says more", c->name,
	                    STR_ARG(form), c->name);
	arena_release(&arena);
	return good;
}

bool command_done(struct command *c, int min, int max, struct err *err)
{
	assert(min >= 0 && (max < 0 || min <= max));
	for (int i = 0; i < c->argc; i++) {
		if (strcmp(c->argv[i], "--") == 0) {
			remove_arguments(c, i, 1);
			break;
		}
		if (c->argv[i][0] == '-' && c->argv[i][1])
			return refuse_unknown_flag(c, c->argv[i], err);
	}
	if (c->argc < min)
		return refuse_missing(c, err);
	if (max >= 0 && c->argc > max)
		return err_set(err, ERR_CONFIG, "unexpected argument %s; `nowcast help %s` says what it takes",
		               c->argv[max], c->name);
	return true;
}

// Messages quote files, servers and arguments.
static void print_error(const struct command *c, const struct err *err)
{
	char msg[sizeof err->msg];
	memcpy(msg, err->msg, sizeof msg);
	text_make_plain(msg, strlen(msg));
	fprintf(stderr, "nowcast%s%s: %s\n", c->name ? " " : "", c->name ? c->name : "", msg);
}

// A file that two others need is read twice, with the same mistakes.
static bool is_repeated(const struct err_list *list, size_t at)
{
	size_t i = 0;
	while (i < at && strcmp(list->items[i].msg, list->items[at].msg) != 0)
		i++;
	return i < at;
}

int command_fail(const struct command *c, const struct err *err)
{
	assert(err->kind != ERR_NONE);
	for (size_t i = 0; i < err_listed(err); i++)
		if (!is_repeated(err->list, i))
			print_error(c, &err->list->items[i]);
	if (!err->listed)
		print_error(c, err);
	if (!err->listed && err_listed(err)) // the list is full (base/err.h)
		fprintf(stderr, "nowcast%s%s: behind %zu mistakes nothing more is read\n", c->name ? " " : "",
		        c->name ? c->name : "", err_listed(err) + 1);
	return err->kind == ERR_CONFIG ? STATUS_USAGE : STATUS_FAILED;
}
