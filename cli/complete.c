// SPDX-License-Identifier: Apache-2.0
#include "cli/complete.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/embed.h"
#include "query/grouping.h"
#include "query/span.h"

struct completion {
	const struct subcommand *all;
	size_t n;
	const struct subcommand *subcommand; // that the words name; NULL: none yet
	int nwords; // behind it, that are no flags, without the last
	struct str verb; // the first of them
	struct str previous, last;
	struct arena arena;
};

static void offer(const struct completion *x, struct str word, const char *what)
{
	if (str_starts(word, x->last))
		printf("%.*s%s%s\n", STR_ARG(word), what ? "\t" : "", what ? what : "");
}

// "a|b|c"
static void offer_words(const struct completion *x, struct str words)
{
	while (words.len)
		offer(x, str_cut(&words, '|'), NULL);
}

static void offer_subcommands(const struct completion *x)
{
	for (size_t i = 0; i < x->n; i++)
		offer(x, str_of(x->all[i].name), x->all[i].sentence);
}

// ---- the synopsis -------------------------------------------------------------------------------

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '|';
}

// The next flag of a synopsis, "--by", and what stands behind it up to a blank or bracket: "KEYS", "a|b|c" or
// nothing. False: there is none.
static bool next_flag(struct str *synopsis, struct str *ret_flag, struct str *ret_value)
{
	const char *at = synopsis->len ? memmem(synopsis->p, synopsis->len, "--", 2) : NULL;
	if (!at)
		return false;
	struct str rest = {at, (size_t)(synopsis->p + synopsis->len - at)};
	size_t n = 0;
	while (n < rest.len && is_word(rest.p[n]))
		n++;
	*ret_flag = (struct str){rest.p, n};
	rest = (struct str){rest.p + n, rest.len - n};
	*ret_value = STR_NONE;
	if (rest.len && *rest.p == ' ') {
		for (n = 1; n < rest.len && !strchr(" ]", rest.p[n]);)
			n++;
		*ret_value = (struct str){rest.p + 1, n - 1};
	}
	*synopsis = rest;
	return true;
}

static bool has_choices(struct str value)
{
	for (size_t i = 0; i < value.len; i++)
		if (!is_word(value.p[i]))
			return false;
	return value.len > 0 && !str_starts(value, STR("--"));
}

// What the help says behind a verb: its line, and those behind it that are indented.
static struct str synopsis_of_verb(const struct completion *x)
{
	struct str rest = str_of(x->subcommand && x->verb.len ? x->subcommand->help : ""), of = STR_NONE;
	while (rest.len) {
		struct str line = str_cut(&rest, '\n'), words = line;
		bool begins = str_eq(str_cut(&words, ' '), x->verb);
		if (of.p && !str_starts(line, STR(" ")))
			break;
		if (begins || of.p)
			of = (struct str){of.p ? of.p : line.p, (size_t)(line.p + line.len - (of.p ? of.p : line.p))};
	}
	return of;
}

static bool mentions(struct str text, struct str flag)
{
	struct str one, value;
	while (next_flag(&text, &one, &value))
		if (str_eq(one, flag))
			return true;
	return false;
}

static void offer_flags(const struct completion *x)
{
	struct str verb = synopsis_of_verb(x), rest = verb, flag, value;
	while (next_flag(&rest, &flag, &value))
		if (!mentions((struct str){verb.p, (size_t)(flag.p - verb.p)}, flag))
			offer(x, flag, NULL);
	struct str synopsis = rest = str_of(x->subcommand ? x->subcommand->synopsis : "");
	while (next_flag(&rest, &flag, &value))
		if (!mentions(verb, flag) && !mentions((struct str){synopsis.p, (size_t)(flag.p - synopsis.p)}, flag))
			offer(x, flag, NULL);
	offer(x, STR("--config"), NULL);
	offer(x, STR("--help"), NULL);
	for (size_t i = 0; i < conf_nkeys; i++) {
		char flag_of_key[CONF_FLAG_SIZE];
		offer(x, str_of(conf_key_flag(&conf_keys[i], flag_of_key)), conf_keys[i].sentence);
	}
}

// Words that the first argument may be: "list|rules|silence ..."
static void offer_verbs(const struct completion *x)
{
	struct str synopsis = str_of(x->subcommand->synopsis), first = str_cut(&synopsis, ' ');
	if (memchr(first.p, '|', first.len) && has_choices(first))
		offer_words(x, first);
}

static void offer_spans(const struct completion *x)
{
	struct str rest = STR(SPAN_NAMES);
	while (rest.len)
		offer(x, str_trim(str_cut(&rest, ',')), NULL);
	offer(x, STR("all"), NULL);
}

// ---- values of flags ----------------------------------------------------------------------------

// Keys joined by commas: the last of them.
static void offer_groupings(struct completion *x)
{
	struct str all = x->last, last = all;
	size_t before = 0;
	for (size_t i = 0; i < all.len; i++)
		if (all.p[i] == ',')
			before = i + 1;
	last = (struct str){all.p + before, all.len - before};
	for (int i = 0;; i++) {
		const char *name = grouping_name(i);
		if (!name)
			break;
		if (str_starts(str_of(name), last))
			offer(x, arena_text(&x->arena, "%.*s%s", (int)before, all.p, name), NULL);
	}
}

// Offers the values of the flag before the last word. False: it takes none that is known, or it is no flag.
static bool offer_values(struct completion *x)
{
	struct str rest = str_of(x->subcommand ? x->subcommand->synopsis : ""), verb = synopsis_of_verb(x), flag,
			   value, key;
	if (!str_starts(x->previous, STR("--")))
		return false;
	if (str_is(x->previous, "--by"))
		return offer_groupings(x), true;
	if (str_is(x->previous, "--since"))
		return offer_spans(x), true;
	bool takes = false;
	while (next_flag(&verb, &flag, &value) || next_flag(&rest, &flag, &value)) {
		if (!str_eq(flag, x->previous) || takes)
			continue;
		if (has_choices(value))
			offer_words(x, value);
		takes |= value.len > 0 && !str_starts(value, STR("--")) && *value.p != '|';
	}
	flag = (struct str){x->previous.p + 2, x->previous.len - 2};
	for (size_t i = 0; conf_flag_key(flag, &key) && i < conf_nkeys; i++)
		if (str_is(key, conf_keys[i].name) && conf_keys[i].type == CONF_ENUM)
			offer_words(x, str_of(conf_keys[i].words));
	return takes || conf_flag_key(flag, &key) || str_is(flag, "config");
}

// ---- the words ----------------------------------------------------------------------------------

static void read_words(struct completion *x, int argc, char **argv)
{
	struct str key;
	for (int i = 0; i < argc - 1; i++) {
		struct str word = str_of(argv[i]), flag = word;
		if (str_starts(word, STR("--"))) {
			flag = (struct str){word.p + 2, word.len - 2};
			if ((conf_flag_key(flag, &key) || str_is(flag, "config")) && i + 1 < argc - 1)
				i++; // its value
			continue;
		}
		if (x->subcommand) {
			x->verb = x->nwords++ ? x->verb : word;
			continue;
		}
		for (size_t k = 0; k < x->n; k++)
			if (str_is(word, x->all[k].name))
				x->subcommand = &x->all[k];
	}
	x->last = str_of(argc ? argv[argc - 1] : "");
	x->previous = argc > 1 ? str_of(argv[argc - 2]) : STR("");
}

// SPAN is the first word, the one behind NAME, or the one behind a verb.
static bool takes_span(const struct completion *x)
{
	struct str synopsis = str_of(x->subcommand->synopsis), verb = synopsis_of_verb(x);
	if (!x->nwords)
		return str_starts(synopsis, STR("[SPAN]")) || str_starts(synopsis, STR("SPAN|"));
	return x->nwords == 1 &&
	       ((synopsis.len && strstr(synopsis.p, " [SPAN]")) ||
	        (verb.len && memmem(verb.p, verb.len, " [SPAN]", 7)));
}

EMBED(script_bash, "deploy/completion/nowcast.bash")
EMBED(script_zsh, "deploy/completion/_nowcast")
EMBED(script_fish, "deploy/completion/nowcast.fish")

bool complete_print_script(struct str shell)
{
	const struct {
		const char *shell;
		struct str script;
	} all[] = {{"bash", script_bash()}, {"zsh", script_zsh()}, {"fish", script_fish()}};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (str_is(shell, all[i].shell)) {
			fwrite(all[i].script.p, 1, all[i].script.len, stdout);
			return true;
		}
	return false;
}

int complete_words(struct command *c, const struct subcommand *all, size_t n)
{
	struct completion x = {.all = all, .n = n};
	bool separated = c->argc && strcmp(c->argv[0], "--") == 0;
	read_words(&x, c->argc - separated, c->argv + separated);
	const char *name = x.subcommand ? x.subcommand->name : "help";
	if (offer_values(&x))
		;
	else if (str_starts(x.last, STR("-")))
		offer_flags(&x);
	else if (strcmp(name, "help") == 0)
		offer_subcommands(&x);
	else if (takes_span(&x))
		offer_spans(&x);
	else if (!x.nwords)
		offer_verbs(&x);
	arena_release(&x.arena);
	return STATUS_OK;
}
