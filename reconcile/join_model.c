// SPDX-License-Identifier: Apache-2.0
// Which model a line of the bill is of, among the keys that the estimate uses.
#include <stdlib.h>

#include "base/hash.h"
#include "pricing/model_id.h"
#include "reconcile/join_priv.h"

// ---- what the estimate has ----------------------------------------------------------------------

static uint64_t use_key(int32_t acct_region, int32_t model, int32_t principal)
{
	int32_t key[] = {acct_region, model, principal};
	return hash64(key, sizeof key);
}

static uint64_t principal_key(int32_t acct_region, int32_t principal)
{
	int32_t key[] = {acct_region, principal};
	return hash64(key, sizeof key);
}

static void add_use(struct join_models *m, int32_t acct_region, int32_t model, int32_t principal,
                    int64_t tokens)
{
	bool added, first;
	int32_t *at = map_add(&m->use_index, use_key(acct_region, model, principal), m->nuses, &added);
	if (!added) {
		m->uses[*at].tokens += tokens;
		return;
	}
	if (m->nuses == m->capuses)
		m->uses =
			xrealloc(m->uses, (size_t)(m->capuses = m->capuses ? m->capuses * 2 : 256), sizeof *m->uses);
	int32_t *head = map_add(&m->first_use, principal_key(acct_region, principal), m->nuses, &first);
	m->uses[m->nuses] = (struct use){acct_region, model, principal, tokens, first ? -1 : *head};
	*head = m->nuses++;
}

void join_models_add(struct join_models *m, const struct ledger_row *row)
{
	int64_t tokens = row->type == LEDGER_CALLS ? 0 : row->tokens;
	add_use(m, row->acct_region, row->model, EVERYBODY, tokens);
	add_use(m, row->acct_region, row->model, row->principal, tokens);
}

void join_models_release(struct join_models *m)
{
	free(m->uses);
	free(m->models);
	free(m->choices);
	map_release(&m->use_index);
	map_release(&m->first_use);
	map_release(&m->choice_index);
	arena_release(&m->arena);
}

static bool is_used(const struct join_models *m, int32_t acct_region, int32_t model)
{
	return map_find(&m->use_index, use_key(acct_region, model, EVERYBODY));
}

static const struct used_model *read_model(struct join_models *m, const struct join *j, int32_t model)
{
	if (model >= m->nmodels) {
		m->models = xrealloc(m->models, (size_t)model + 256, sizeof *m->models);
		memset(m->models + m->nmodels, 0, (size_t)(model + 256 - m->nmodels) * sizeof *m->models);
		m->nmodels = model + 256;
	}
	struct used_model *u = &m->models[model];
	if (u->is_read)
		return u;
	struct str key = j->names->list[model], behind = model < j->nfoundation ? j->foundation[model] : STR_NONE;
	struct model_id own, id;
	struct buf name_key = BUF_INIT;
	model_id_read(&own, key);
	model_id_read(&id, behind.len ? behind : key);
	model_name_key(&name_key, model_id_name(&id));
	*u = (struct used_model){.is_read = true,
	                         .named = id.kind == MODEL_NAMED,
	                         .mantle = own.mantle,
	                         .scope = id.scope,
	                         .name = arena_str(&m->arena, model_id_name(&id)),
	                         .name_key = arena_str(&m->arena, buf_str(&name_key))};
	buf_release(&name_key);
	return u;
}

// ---- the choice ---------------------------------------------------------------------------------

static bool is_same_model(const struct used_model *u, const struct bill_kind *k)
{
	return u->named && ((k->model.len && str_eq(u->name, k->model)) ||
	                    (k->name_key.len && str_eq(u->name_key, k->name_key)));
}

struct found_use {
	int32_t model;
	int64_t tokens;
	struct str name;
};

static int by_use(const void *a, const void *b)
{
	const struct found_use *x = a, *y = b;
	int c = (y->tokens > x->tokens) - (y->tokens < x->tokens);
	return c ? c : str_cmp(x->name, y->name);
}

// The keys of that model and scope that a principal uses, or everybody; `mantle`: those of bedrock-mantle
// only.
static void find_keys(struct join_models *m, const struct join *j, const struct ledger_row *row,
                      int32_t principal, const struct bill_kind *k, bool same_scope, struct choice *ret)
{
	struct found_use list[CHOICE_MODELS];
	int n = 0, mantle = 0;
	int32_t *at = map_find(&m->first_use, principal_key(row->acct_region, principal));
	for (int32_t i = at ? *at : -1; i >= 0 && n < CHOICE_MODELS; i = m->uses[i].next) {
		const struct used_model *u = read_model(m, j, m->uses[i].model);
		if (!is_same_model(u, k) || (u->scope == k->usage.scope) != same_scope)
			continue;
		mantle += u->mantle;
		list[n++] = (struct found_use){m->uses[i].model, m->uses[i].tokens, j->names->list[m->uses[i].model]};
	}
	if (n > 1)
		qsort(list, (size_t)n, sizeof *list, by_use);
	for (int i = 0; i < n; i++)
		if (!k->mantle || !mantle || read_model(m, j, list[i].model)->mantle)
			ret->models[ret->n++] = list[i].model;
}

static void note_called(struct join *j, int32_t model, struct str resource)
{
	if (!memmem(resource.p, resource.len, ":application-inference-profile/", 31))
		return;
	if (model >= j->ncalled) {
		j->called = xrealloc(j->called, (size_t)model + 64, sizeof *j->called);
		for (; j->ncalled < model + 64; j->ncalled++)
			j->called[j->ncalled] = STR_NONE;
	}
	j->called[model] = resource;
}

static struct choice choose(struct join_models *m, struct join *j, const struct bill_kind *k,
                            const struct ledger_row *row)
{
	struct choice c = {.matched = !map_find(&m->first_use, principal_key(row->acct_region, EVERYBODY))};
	bool foundation = memmem(k->resource.p, k->resource.len, ":foundation-model/", 18);
	if (k->model_key.len) {
		int32_t own = names_add(j->names, k->model_key);
		c.matched |= is_used(m, row->acct_region, own);
		if (!foundation || c.matched) {
			note_called(j, own, k->resource);
			c.models[c.n++] = own;
			return c;
		}
	}
	for (int i = 0; i < 4 && !c.n; i++)
		find_keys(m, j, row, i < 2 ? row->principal : EVERYBODY, k, i % 2 == 0, &c);
	c.matched |= c.n > 0;
	if (!c.n)
		c.models[c.n++] = names_add(j->names, k->shown);
	return c;
}

struct choice join_choose(struct join_models *m, struct join *j, const struct bill *b, int32_t kind,
                          const struct ledger_row *row)
{
	int32_t key[] = {row->acct_region, row->principal, kind};
	bool added;
	int32_t at = *map_add(&m->choice_index, hash64(key, sizeof key), m->nchoices, &added);
	if (!added)
		return m->choices[at];
	if (m->nchoices == m->capchoices)
		m->choices = xrealloc(m->choices, (size_t)(m->capchoices = m->capchoices ? m->capchoices * 2 : 256),
		                      sizeof *m->choices);
	m->nchoices++;
	return m->choices[at] = choose(m, j, &b->kinds[kind], row);
}
