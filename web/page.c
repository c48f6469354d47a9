// SPDX-License-Identifier: Apache-2.0
// Each file is made smaller and compressed once, when the program starts. Browsers revalidate theirs each
// time (ETag), so a new program shows its new page at once.
#include "web/page.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>

#include "base/embed.h"
#include "base/hash.h"
#include "web/gzip.h"

// The build puts the chart library there (Makefile). A build without it has an empty file, and the page shows
// tables.
#ifndef UPLOT_DIR
#define UPLOT_DIR "build/web/vendor"
#endif

EMBED(page_index_html, "web/page/index.html")
EMBED(page_app_css, "web/page/app.css")
EMBED(page_app_js, "web/page/app.js")
EMBED(page_api_js, "web/page/api.js")
EMBED(page_chart_js, "web/page/chart.js")
EMBED(page_columns_js, "web/page/columns.js")
EMBED(page_csv_js, "web/page/csv.js")
EMBED(page_model_js, "web/page/model.js")
EMBED(page_panels_js, "web/page/panels.js")
EMBED(page_parts_js, "web/page/parts.js")
EMBED(page_principal_js, "web/page/principal.js")
EMBED(page_view_js, "web/page/view.js")
EMBED(page_wall_css, "web/page/wall.css")
EMBED(page_wall_js, "web/page/wall.js")
EMBED(page_why_js, "web/page/why.js")
EMBED(page_icon_svg, "web/page/icon.svg")
EMBED(page_openapi_json, "web/openapi.json")
EMBED(page_uplot_js, UPLOT_DIR "/uPlot.js")
EMBED(page_uplot_css, UPLOT_DIR "/uPlot.css")

static struct page_file {
	const char *path, *type;
	struct str (*bytes)(void);
	struct buf plain; // of a script: as it is sent
	struct buf gzip;
	char etag[24];
} files[] = {
	{"/", "text/html; charset=utf-8", page_index_html, BUF_INIT, BUF_INIT, ""},
	{"/app.css", "text/css; charset=utf-8", page_app_css, BUF_INIT, BUF_INIT, ""},
	{"/app.js", "text/javascript; charset=utf-8", page_app_js, BUF_INIT, BUF_INIT, ""},
	{"/api.js", "text/javascript; charset=utf-8", page_api_js, BUF_INIT, BUF_INIT, ""},
	{"/chart.js", "text/javascript; charset=utf-8", page_chart_js, BUF_INIT, BUF_INIT, ""},
	{"/columns.js", "text/javascript; charset=utf-8", page_columns_js, BUF_INIT, BUF_INIT, ""},
	{"/csv.js", "text/javascript; charset=utf-8", page_csv_js, BUF_INIT, BUF_INIT, ""},
	{"/model.js", "text/javascript; charset=utf-8", page_model_js, BUF_INIT, BUF_INIT, ""},
	{"/panels.js", "text/javascript; charset=utf-8", page_panels_js, BUF_INIT, BUF_INIT, ""},
	{"/parts.js", "text/javascript; charset=utf-8", page_parts_js, BUF_INIT, BUF_INIT, ""},
	{"/principal.js", "text/javascript; charset=utf-8", page_principal_js, BUF_INIT, BUF_INIT, ""},
	{"/view.js", "text/javascript; charset=utf-8", page_view_js, BUF_INIT, BUF_INIT, ""},
	{"/wall.css", "text/css; charset=utf-8", page_wall_css, BUF_INIT, BUF_INIT, ""},
	{"/wall.js", "text/javascript; charset=utf-8", page_wall_js, BUF_INIT, BUF_INIT, ""},
	{"/why.js", "text/javascript; charset=utf-8", page_why_js, BUF_INIT, BUF_INIT, ""},
	{"/icon.svg", "image/svg+xml", page_icon_svg, BUF_INIT, BUF_INIT, ""},
	{"/vendor/uPlot.js", "text/javascript; charset=utf-8", page_uplot_js, BUF_INIT, BUF_INIT, ""},
	{"/vendor/uPlot.css", "text/css; charset=utf-8", page_uplot_css, BUF_INIT, BUF_INIT, ""},
	{"/api/v1/openapi.json", "application/json", page_openapi_json, BUF_INIT, BUF_INIT, ""},
};

// Of our scripts, without indentation and without lines that are comments but for the first: a tenth of what
// is sent. None has a text that goes over several lines.
static void strip_script(struct buf *out, struct str script)
{
	while (script.len) {
		struct str line = str_trim(str_cut(&script, '\n'));
		if (out->len && (!line.len || str_starts(line, STR("//"))))
			continue;
		buf_addstr(out, line);
		buf_addc(out, '\n');
	}
}

static struct str bytes_of(const struct page_file *f)
{
	return f->plain.len ? buf_str(&f->plain) : f->bytes();
}

static void compress_files(void)
{
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		if (str_starts(str_of(files[i].type), STR("text/javascript")) &&
		    !str_starts(str_of(files[i].path), STR("/vendor/")))
			strip_script(&files[i].plain, files[i].bytes());
		struct str bytes = bytes_of(&files[i]);
		(void)gzip_into(&files[i].gzip, bytes, GZIP_ONCE);
		snprintf(files[i].etag, sizeof files[i].etag, "\"%016llx\"",
		         (unsigned long long)digest64(bytes.p, bytes.len));
	}
}

void page_prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, compress_files);
}

bool page_answer(const struct http_request *r, struct http_answer *ret)
{
	assert(*files[0].etag); // page_prepare was called
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		const struct page_file *f = &files[i];
		if (!str_is(r->path, f->path))
			continue;
		*ret = (struct http_answer){.status = 200, .type = f->type, .etag = f->etag};
		ret->fixed_gzip = r->gzip && f->gzip.len;
		ret->fixed = ret->fixed_gzip ? buf_str(&f->gzip) : bytes_of(f);
		return true;
	}
	return false;
}
