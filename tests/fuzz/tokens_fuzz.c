// SPDX-License-Identifier: Apache-2.0
// The file of API tokens, and the header that shows one. A file is refused with its line, or each of its
// tokens is let in, and nothing else is. Longest input: 512 bytes.
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "web/auth.h"

// Whether it is the second word of a line that is no comment.
static bool is_listed(struct str file, struct str token)
{
	while (file.len) {
		struct str line = str_cut(&file, '\n'), word[2] = {STR_NONE, STR_NONE};
		for (int i = 0; i < 2; i++) {
			while (line.len && strchr(" \t\r", line.p[0]) && line.p[0])
				line.p++, line.len--;
			size_t n = 0;
			while (n < line.len && (!strchr(" \t\r", line.p[n]) || !line.p[n]))
				n++;
			word[i] = (struct str){line.p, n};
			line.p += n, line.len -= n;
		}
		if (word[0].len && word[0].p[0] != '#' && str_eq(word[1], token))
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct input in = {data, size};
	struct str token = take_text(&in), text = take_rest(&in);
	struct err err = ERR_INIT;
	struct auth *a;
	char path[64];
	if (fd < 0)
		fd = memfd_create("tokens", MFD_CLOEXEC);
	assert(fd >= 0 && ftruncate(fd, 0) == 0 &&
	       pwrite(fd, text.p ? text.p : "", text.len, 0) == (ssize_t)text.len);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (!auth_open(&a, "auth.tokens.file", path, 10, &err)) {
		check_refusal(&err);
		assert(err.kind == ERR_CONFIG);
		return 0;
	}
	struct buf header = BUF_INIT;
	buf_adds(&header, "Bearer ");
	buf_addstr(&header, token);
	enum auth_verdict v = auth_check(a, STR("192.0.2.1"), buf_str(&header), 1000);
	bool plain = token.len && !memchr(token.p, ' ', token.len) && !memchr(token.p, '\t', token.len) &&
	             !memchr(token.p, '\r', token.len);
	assert(!plain || (v == AUTH_YES) == is_listed(text, token));
	(void)auth_check(a, STR("192.0.2.1"), token, 2000);
	auth_close(a);
	buf_release(&header);
	return 0;
}
