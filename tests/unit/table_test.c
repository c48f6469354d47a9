// SPDX-License-Identifier: Apache-2.0
// Tables fit: whatever the width, no line is longer, cells stand under their heads, and what stays has the
// ends of the names.
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

#include "tests/tap.h"

static void fill(struct table *t)
{
	table_column(t, STR("principal"), TABLE_NAME, 0);
	table_column(t, STR("model"), TABLE_NAME, 0);
	table_column(t, STR("tokens"), TABLE_NUMBER, 1);
	table_column(t, STR("usd"), TABLE_NUMBER, 0);
	table_column(t, STR("low"), TABLE_NUMBER, 3);
	table_column(t, STR("high"), TABLE_NUMBER, 3);
	table_column(t, STR("basis"), TABLE_TEXT, 2);
	static const char *const cells[] = {
		"111122223333:assumed-role/AWSReservedSSO_Developer_0f1e2d3c4b5a6978/bob@example.com",
		"us.anthropic.claude-sonnet-4-6",
		"1,234,567",
		"12.3456",
		"10.0000",
		"14.0000",
		"exact 33% allocated 67%",
		"111122223333:user/J\xc3\xbcrgen\033[2J",
		"",
		"5",
		"0.0001",
		"0.0001",
		"0.0001",
		"exact",
	};
	for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
		table_cell(t, str_of(cells[i]));
}

static char *print(int width)
{
	struct table t = TABLE_INIT;
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	fill(&t);
	table_print(&t, f, width, -1, "\n");
	fclose(f);
	table_release(&t);
	return text;
}

static int longest_line(const char *text)
{
	int most = 0, n = 0;
	for (; *text; text++) {
		n = *text == '\n' ? 0 : n + (((unsigned char)*text & 0xc0) != 0x80);
		most = n > most ? n : most;
	}
	return most;
}

int main(void)
{
	bool fits = true, whole = true, together = true;
	for (int width = 56; width <= 220; width++) {
		char *text = print(width);
		fits = fits && longest_line(text) <= width;
		whole = whole && strstr(text, "bob@example.com") && strstr(text, "12.3456");
		together = together && !strstr(text, "low") == !strstr(text, "high");
		free(text);
	}
	ok(fits, "no line is longer than 56 to 220 characters");
	ok(whole, "the end of the name and the dollars are always there");
	ok(together, "columns of one rank leave together");

	char *text = print(0);
	ok(strstr(text,
	          "111122223333:assumed-role/AWSReservedSSO_Developer_0f1e2d3c4b5a6978/bob@example.com  us.") !=
	       NULL,
	   "nothing is cut without a width");
	ok(strstr(text, "J\xc3\xbcrgen?[2J") != NULL, "control characters do not reach the terminal");
	ok(strstr(text, " -  ") != NULL, "an empty cell is a dash");
	free(text);

	char count[TABLE_COUNT_SIZE];
	ok(strcmp(table_count(0, count), "0") == 0 && strcmp(table_count(999, count), "999") == 0 &&
	       strcmp(table_count(1000, count), "1,000") == 0 &&
	       strcmp(table_count(-1234567, count), "-1,234,567") == 0,
	   "counts in thousands");
	return done();
}
