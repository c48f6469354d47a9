// SPDX-License-Identifier: Apache-2.0
// A name is cut into words and numbers where letters meet digits, a small letter a capital, or at any other
// character. The key is made of what is left of them.
#include "pricing/model_name.h"

#include <stdlib.h>
#include <strings.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/map.h"
#include "pricing/price.h"
#include "pricing/price_file.h"

// Vendors as names begin with them. `named_so`: a family has the vendor's name, which the names often leave
// out.
static const struct {
	struct str written;
	const char *named_so;
} vendors[] = {
	{STR("ai21 labs"), NULL},    {STR("ai21"), NULL},
	{STR("alibaba"), NULL},      {STR("amazon"), NULL},
	{STR("anthropic"), NULL},    {STR("aws"), NULL},
	{STR("cohere"), NULL},       {STR("deepseek"), "deepseek"},
	{STR("google"), NULL},       {STR("luma ai"), NULL},
	{STR("luma"), NULL},         {STR("meta"), NULL},
	{STR("mistral ai"), NULL},   {STR("mistral"), NULL},
	{STR("moonshot ai"), NULL},
	{STR("moonshotai"), NULL},   {STR("moonshot"), NULL},
	{STR("nvidia"), NULL},       {STR("openai"), NULL},
	{STR("stability ai"), NULL}, {STR("stability"), NULL},
	{STR("twelvelabs"), NULL},   {STR("twelve labs"), NULL},
	{STR("writer"), NULL},       {STR("xai"), NULL},
	{STR("z.ai"), NULL},         {STR("zai"), NULL},
};

// Words that say nothing about which model it is, and words for which ids have another.
static const struct {
	const char *word, *instead;
} words[] = {
	{"model", ""},        {"models", ""},  {"instruct", ""},     {"it", ""},   {"edition", ""}, {"and", ""},
	{"dense", ""},        {"custom", ""},  {"embedding", "embed"}, {"embeddings", "embed"},
	{"jurassic", "j"},    {"generate", ""}, {"image", ""},       {"pt", ""},
};

// Names that AWS writes otherwise than their ids: in products, in usage types, in its price list.
static const struct {
	struct str written, model;
} irregular[] = {
	{STR("Claude 2.1"), STR("anthropic.claude-v2")},
	{STR("Command"), STR("cohere.command-text-v14")},
	{STR("Command-Light"), STR("cohere.command-light-text-v14")},
	{STR("Cohere Embed English"), STR("cohere.embed-english-v3")},
	{STR("Cohere Embed Multilingual"), STR("cohere.embed-multilingual-v3")},
	{STR("Devstral"), STR("mistral.devstral-2-123b")},
	{STR("Magistral Small 1.2"), STR("mistral.magistral-small-2509")},
	{STR("Ministral 3B"), STR("mistral.ministral-3-3b-instruct")},
	{STR("Ministral 3B 3.0"), STR("mistral.ministral-3-3b-instruct")},
	{STR("Ministral 8B 3.0"), STR("mistral.ministral-3-8b-instruct")},
	{STR("Ministral 14B 3.0"), STR("mistral.ministral-3-14b-instruct")},
	{STR("Mistral Large"), STR("mistral.mistral-large-2402")},
	{STR("Mistral Large 3"), STR("mistral.mistral-large-3-675b-instruct")},
	{STR("Mistral Small"), STR("mistral.mistral-small-2402")},
	{STR("Nemotron 3 Super 120B A12B"), STR("nvidia.nemotron-super-3-120b")},
	{STR("Nemotron Nano 2"), STR("nvidia.nemotron-nano-9b-v2")},
	{STR("Nemotron Nano 2 VL"), STR("nvidia.nemotron-nano-12b-v2")},
	{STR("Nemotron Nano 12B v2 VL BF16"), STR("nvidia.nemotron-nano-12b-v2")},
	{STR("Nova Reel 1.1"), STR("amazon.nova-reel")},
	{STR("Nova 2 Pro"), STR("amazon.nova-2-pro-preview")},
	{STR("NovaMultiModalEmbeddings"), STR("amazon.nova-2-multimodal-embeddings")},
	{STR("R1"), STR("deepseek.r1")},
	{STR("SDXL"), STR("stability.stable-diffusion-xl")},
	{STR("SDXL 1.0"), STR("stability.stable-diffusion-xl")},
	{STR("Stable Image Core v1.1"), STR("stability.stable-image-core")},
	{STR("Stable Image Ultra v1.1"), STR("stability.stable-image-ultra")},
	{STR("Stable Diffusion 3 Large"), STR("stability.sd3-large")},
	{STR("Stable Diffusion 3.5 Large"), STR("stability.sd3-5-large")},
	{STR("Titan Multimodal Embeddings G1"), STR("amazon.titan-embed-image")},
	{STR("TitanEmbeddingsG1-Image"), STR("amazon.titan-embed-image")},
	{STR("Titan Text Embeddings V2"), STR("amazon.titan-embed-text-v2")},
	{STR("Voxtral Mini 1.0"), STR("mistral.voxtral-mini-3b-2507")},
	{STR("Voxtral Small 1.0"), STR("mistral.voxtral-small-24b-2507")},
};

// Ids of one model: of bedrock-runtime, and the one whose name bills write.
static const struct {
	struct str id, written;
} twins[] = {
	{STR("deepseek.v3"), STR("deepseek.v3.1")},
};

static struct str twin_of(struct str id)
{
	for (size_t i = 0; i < sizeof twins / sizeof *twins; i++)
		if (str_eq(id, twins[i].id))
			return twins[i].written;
	return STR_NONE;
}

// ---- the key of a name --------------------------------------------------------------------------

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_letter(char c)
{
	return is_upper(c) || (c >= 'a' && c <= 'z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool starts_as(struct str s, struct str word)
{
	return s.len >= word.len && strncasecmp(s.p, word.p, word.len) == 0;
}

// Where a vendor's name of n bytes ends: before what is no letter, or before a capital ("AmazonRerank").
static bool ends_vendor(struct str name, size_t n)
{
	return name.len > n && (!is_letter(name.p[n]) || (is_upper(name.p[n]) && !is_upper(name.p[n - 1])));
}

// Mistral's name begins those of a family, too. All its other families end alike: Pixtral, Devstral.
static bool precedes_mistral(struct str rest)
{
	size_t n = 0;
	while (n < rest.len && is_letter(rest.p[n]))
		n++;
	return n > 4 && strncasecmp(rest.p + n - 4, "tral", 4) == 0;
}

// Cuts "openai." or "OpenAI " off. *ret_family: the name of a family that is named so, or NULL.
static bool cut_vendor(struct str *name, const char **ret_family)
{
	for (size_t i = 0; i < sizeof vendors / sizeof *vendors; i++) {
		size_t n = vendors[i].written.len;
		if (!starts_as(*name, vendors[i].written) || !ends_vendor(*name, n))
			continue;
		while (n < name->len && !is_letter(name->p[n]) && !is_digit(name->p[n]))
			n++;
		struct str rest = {name->p + n, name->len - n};
		if (str_is(vendors[i].written, "mistral") && !precedes_mistral(rest))
			continue;
		*name = rest;
		*ret_family = vendors[i].named_so;
		return true;
	}
	return false;
}

// "qwenqwen" is "qwen": a vendor before a family of its name.
static void cut_double(struct buf *letters, size_t start)
{
	enum { SHORTEST = 4 };
	if (!letters->len)
		return;
	char *p = letters->data + start;
	for (size_t n = SHORTEST; 2 * n <= letters->len - start; n++)
		if (memcmp(p, p + n, n) == 0) {
			memmove(p, p + n, letters->len - start - n + 1);
			letters->len -= n;
			return;
		}
}

// "mistral.mistral-large-2402": the vendor of an id, before its first dot.
static void cut_vendor_of_id(struct str *name)
{
	struct str rest = *name, vendor = str_cut(&rest, '.');
	for (size_t i = 0; i < vendor.len; i++)
		if (!is_letter(vendor.p[i]) || is_upper(vendor.p[i]))
			return;
	if (vendor.len && rest.len)
		*name = rest;
}

struct splitter {
	struct str rest;
	char before; // the character before the word that was cut last
	struct str word;
	bool number;
};

// The next word or number. False: there is none.
static bool next_word(struct splitter *x)
{
	size_t skip = 0, n = 1;
	while (skip < x->rest.len && !is_letter(x->rest.p[skip]) && !is_digit(x->rest.p[skip]) &&
	       x->rest.p[skip] != '+')
		skip++;
	x->before = skip ? x->rest.p[skip - 1] : '\0';
	x->rest = (struct str){x->rest.p + skip, x->rest.len - skip};
	if (!x->rest.len)
		return false;
	const char *p = x->rest.p;
	x->number = is_digit(p[0]);
	while (n < x->rest.len && p[0] != '+' &&
	       (x->number ? is_digit(p[n]) : is_letter(p[n]) && !(is_upper(p[n]) && !is_upper(p[n - 1]))))
		n++;
	x->word = (struct str){p, n};
	x->rest = (struct str){p + n, x->rest.len - n};
	return true;
}

static bool is_word(struct str word, const char *as)
{
	return word.len == strlen(as) && strncasecmp(word.p, as, word.len) == 0;
}

static void add_letters(struct buf *to, struct str word)
{
	if (is_word(word, "+"))
		word = STR("plus");
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (is_word(word, words[i].word))
			word = str_of(words[i].instead);
	for (size_t i = 0; i < word.len; i++)
		buf_addc(to, (char)(is_upper(word.p[i]) ? word.p[i] + 32 : word.p[i]));
}

// "25.02" is 2502, as ids write it, and "2.0" is 2, as is "2-0" in an id. `x` is behind the first number.
static void add_number(struct buf *to, struct splitter *x)
{
	struct splitter next = *x;
	struct str number = x->word;
	bool follows = x->rest.len > 1 && is_digit(x->rest.p[1]) && next_word(&next);
	bool dotted = follows && next.before == '.';
	buf_addc(to, ' ');
	buf_addstr(to, number);
	if ((dotted || (follows && next.before == '-')) && is_word(next.word, "0")) {
		*x = next;
	} else if (dotted && number.len == 2 && next.word.len == 2) {
		buf_addstr(to, next.word);
		*x = next;
	}
	if (x->rest.len && (x->rest.p[0] | 32) == 'b' && !(x->rest.len > 1 && is_letter(x->rest.p[1]))) {
		buf_addc(to, 'b'); // "70B": a size
		x->rest = (struct str){x->rest.p + 1, x->rest.len - 1};
	}
}

// "v2" and "G1" end in a number that may say nothing: the first version, the first generation.
static bool is_first_version(const struct splitter *x)
{
	struct splitter next = *x;
	if (!(is_word(x->word, "v") || is_word(x->word, "G")) || !x->rest.len || !is_digit(x->rest.p[0]) ||
	    !next_word(&next))
		return false;
	return is_word(next.word, "1") && !(next.rest.len > 1 && next.rest.p[0] == '.' && next.rest.p[1] != '0');
}

// Without "(Amazon Bedrock Edition)", or another word about Bedrock, at the end.
static struct str cut_edition(struct str name)
{
	struct str bare = name;
	while (bare.len && bare.p[bare.len - 1] != '(')
		bare.len--;
	struct str inside = {name.p + bare.len, name.len - bare.len};
	if (!bare.len || !memmem(inside.p, inside.len, "Bedrock", 7))
		return name;
	bare.len--;
	return str_trim(bare);
}

void model_name_key(struct buf *ret, struct str name)
{
	struct buf numbers = BUF_INIT;
	struct str twin = twin_of(name);
	struct splitter x = {.rest = cut_edition(twin.len ? twin : name)};
	const char *family = NULL;
	while (cut_vendor(&x.rest, &family)) // "NVIDIA NVIDIA Nemotron"
		;
	cut_vendor_of_id(&x.rest);
	size_t start = ret->len;
	if (family && !starts_as(x.rest, str_of(family)))
		buf_adds(ret, family);
	while (next_word(&x)) {
		bool version = !x.number && x.rest.len && is_digit(x.rest.p[0]) && is_word(x.word, "v");
		if (is_first_version(&x)) {
			next_word(&x);
			if (x.rest.len > 1 && x.rest.p[0] == '.')
				next_word(&x);
		} else if (x.number) {
			add_number(&numbers, &x);
		} else if (!version) {
			add_letters(ret, x.word);
		}
	}
	cut_double(ret, start);
	if (numbers.len)
		buf_addstr(ret, buf_str(&numbers));
	buf_release(&numbers);
}

// ---- the names of the catalogue -----------------------------------------------------------------

struct model_names {
	struct arena arena;
	struct map index; // hash of a key -> position
	struct {
		struct str model;
		bool several;
	} *list;
	int32_t n, cap;
};

static void add_name(struct model_names *m, struct str written, struct str model)
{
	struct buf key = BUF_INIT;
	bool added;
	model_name_key(&key, written);
	if (key.len) {
		int32_t at = *map_add(&m->index, hash64(key.data, key.len), m->n, &added);
		if (added && m->n == m->cap)
			m->list = xrealloc(m->list, (size_t)(m->cap = m->cap ? m->cap * 2 : 256), sizeof *m->list);
		if (added) {
			m->list[m->n].model = arena_str(&m->arena, model);
			m->list[m->n++].several = false;
		} else {
			m->list[at].several |= !str_eq(m->list[at].model, model);
		}
	}
	buf_release(&key);
}

struct model_names *model_names_new(void)
{
	struct model_names *m = xcalloc(1, sizeof *m);
	const struct price_rows *rows = catalogue_rows(catalogue_builtin());
	for (size_t i = 0; i < sizeof irregular / sizeof *irregular; i++)
		add_name(m, irregular[i].written, irregular[i].model);
	for (size_t i = 0; i < rows->n; i++)
		if ((i == 0 || !str_eq(rows->v[i].model, rows->v[i - 1].model)) && !twin_of(rows->v[i].model).len)
			add_name(m, rows->v[i].model, rows->v[i].model);
	return m;
}

void model_names_free(struct model_names *m)
{
	if (!m)
		return;
	arena_release(&m->arena);
	map_release(&m->index);
	free(m->list);
	free(m);
}

struct str model_names_find(const struct model_names *m, struct str written)
{
	struct buf key = BUF_INIT;
	model_name_key(&key, written);
	int32_t *at = key.len ? map_find(&m->index, hash64(key.data, key.len)) : NULL;
	buf_release(&key);
	return at && !m->list[*at].several ? m->list[*at].model : STR_NONE;
}
