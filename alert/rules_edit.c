// SPDX-License-Identifier: Apache-2.0
#include "alert/rules_edit.h"

#include "base/text.h"

// Where a section is, as offsets of the text.
struct section {
	size_t key_end;         // behind the last line with a key, or behind the head
	size_t value, value_end; // of the last line with the wanted key
	size_t indent;          // blanks in front of the last key
	bool found, has_key;
	bool crlf;              // the last line with a key, or the head, ends so
};

static bool names_rule(struct str line, struct str name)
{
	if (line.len < 2 || line.p[0] != '[' || line.p[line.len - 1] != ']')
		return false;
	struct str rest = {line.p + 1, line.len - 2}, what = str_cut(&rest, ' ');
	return str_is(what, "rule") && str_eq(str_trim(rest), name);
}

static void note_line(struct section *s, struct str text, struct str line, struct str key, size_t next)
{
	struct str value = str_trim(line), left = str_trim(str_cut(&value, '='));
	s->key_end = next;
	s->indent = (size_t)(left.p - line.p);
	s->crlf = str_ends(line, STR("\r"));
	if (!value.p || !str_eq(left, key))
		return;
	struct str trimmed = str_trim(value);
	s->has_key = true;
	s->value = trimmed.len ? (size_t)(trimmed.p - text.p) : (size_t)(value.p - text.p);
	s->value_end = s->value + trimmed.len;
}

static struct section find_section(struct str text, struct str name, struct str key)
{
	struct section s = {0};
	struct str rest = text;
	bool inside = false;
	while (rest.len) {
		struct str line = str_cut(&rest, '\n'), plain = str_trim(line);
		size_t next = rest.p ? (size_t)(rest.p - text.p) : text.len;
		if (plain.len == 0 || plain.p[0] == '#')
			continue;
		if (plain.p[0] == '[') {
			if (inside)
				break;
			inside = s.found = names_rule(plain, name);
			if (inside) {
				s.key_end = next;
				s.crlf = str_ends(line, STR("\r"));
			}
		} else if (inside) {
			note_line(&s, text, line, key, next);
		}
	}
	return s;
}

// Puts `part` in the place of the bytes [from, to).
static void replace(struct buf *text, size_t from, size_t to, struct str part)
{
	struct buf old = *text;
	*text = (struct buf){0};
	buf_add(text, old.data, from);
	buf_addstr(text, part);
	buf_add(text, old.data + to, old.len - to);
	buf_release(&old);
}

static bool is_one_line(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (text_control(s, i))
			return false;
	return true;
}

static void add_section(struct buf *text, struct str name)
{
	bool crlf = text->len > 1 && str_ends(buf_str(text), STR("\r\n"));
	const char *end = crlf ? "\r\n" : "\n";
	if (text->len && text->data[text->len - 1] != '\n')
		buf_adds(text, end);
	if (text->len)
		buf_adds(text, end);
	buf_addf(text, "[rule %.*s]%s", STR_ARG(name), end);
}

bool alert_rules_edit(struct buf *text, struct str name, struct str key, struct str value, struct err *err)
{
	struct buf part = BUF_INIT;
	if (!name.len || !str_eq(name, str_trim(name)) || !is_one_line(name))
		return err_set(err, ERR_CONFIG, "expected the name of a rule in one line, got \"%.*s\"",
		               STR_ARG(name));
	if (!is_one_line(value))
		return err_set(err, ERR_CONFIG, "%.*s: expected a value in one line, got \"%.*s\"", STR_ARG(key),
		               STR_ARG(value));
	value = str_trim(value);
	struct section s = find_section(buf_str(text), name, key);
	if (!s.found) {
		add_section(text, name);
		s = find_section(buf_str(text), name, key);
	}
	if (s.has_key) {
		bool tight = s.value && text->data[s.value - 1] == '=' && s.value == s.value_end;
		buf_addf(&part, "%s%.*s", tight && value.len ? " " : "", STR_ARG(value));
		replace(text, s.value, s.value_end, buf_str(&part));
	} else {
		const char *end = s.crlf ? "\r\n" : "\n";
		bool open = s.key_end && text->data[s.key_end - 1] != '\n';
		buf_addf(&part, "%s%*s%.*s = %.*s%s", open ? end : "", (int)s.indent, "", STR_ARG(key),
		         STR_ARG(value), end);
		replace(text, s.key_end, s.key_end, buf_str(&part));
	}
	buf_release(&part);
	return true;
}
