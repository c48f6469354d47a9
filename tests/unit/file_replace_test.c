// SPDX-License-Identifier: Apache-2.0
// A file is replaced whole, with its mode, through a symbolic link to it, and never through a link that
// somebody has put where the new one is written.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/tap.h"

static char folder[] = "/tmp/nowcast-test.XXXXXX";

static const char *path_of(struct buf *b, const char *name)
{
	buf_clear(b);
	buf_addf(b, "%s/%s", folder, name);
	return b->data;
}

static void holds(const char *what, const char *path, const char *want)
{
	struct err err = ERR_INIT;
	struct buf text = BUF_INIT;
	ok(file_read(path, 1000, &text, &err), "%s: %s", what, err.msg);
	is_str(text.len ? text.data : "", want, what);
	buf_release(&text);
}

int main(void)
{
	struct err err = ERR_INIT;
	struct buf file = BUF_INIT, link = BUF_INIT, other = BUF_INIT, beside = BUF_INIT;
	struct stat st;
	if (!mkdtemp(folder))
		return 1;
	path_of(&file, "rules");
	path_of(&link, "link");
	path_of(&other, "other");
	buf_addf(&beside, "%s.new.%ld", file.data, (long)getpid());
	ok(file_replace(file.data, STR("one"), &err), "a new file %s", err.msg);
	ok(chmod(file.data, 0640) == 0 && symlink(file.data, link.data) == 0, "with a mode, and a link to it");
	ok(file_replace(link.data, STR("two"), &err), "is replaced by the link %s", err.msg);
	holds("which stays one", file.data, "two");
	ok(lstat(link.data, &st) == 0 && S_ISLNK(st.st_mode), "a link");
	ok(stat(file.data, &st) == 0 && (st.st_mode & 0777) == 0640, "the mode is kept");
	ok(file_replace(other.data, STR("theirs"), &err) && symlink(other.data, beside.data) == 0,
	   "a link where the next one is written");
	ok(file_replace(file.data, STR("three"), &err), "does not keep it from being written %s", err.msg);
	holds("to the file", file.data, "three");
	holds("and not to where that link goes", other.data, "theirs");
	ok(lstat(file.data, &st) == 0 && S_ISREG(st.st_mode) && access(beside.data, F_OK) != 0,
	   "nothing is left");
	struct buf *all[] = {&file, &link, &other};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		unlink(all[i]->data);
		buf_release(all[i]);
	}
	buf_release(&beside);
	rmdir(folder);
	return done();
}
