// SPDX-License-Identifier: Apache-2.0
// The headers of an answer, its compression, and 304 for what the client has already.
#include <assert.h>
#include <stdio.h>

#include "web/gzip.h"
#include "web/http_priv.h"

enum {
	GZIP_BYTES_MIN = 1400, // what fits into a packet gains nothing
	LARGE = 1 << 20,       // bytes; most answers are smaller, and are sent in any case
};

// The headers of every answer. The policy allows the page's own script and style only, so markup in data
// cannot run.
void http_add_headers(struct MHD_Response *r, const struct http_answer *a)
{
	static const char *const always[][2] = {
		{"Content-Security-Policy",
	     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
	     "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Frame-Options", "DENY"},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Vary", "Accept-Encoding, Authorization"},
	};
	char text[16];
	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		MHD_add_response_header(r, always[i][0], always[i][1]);
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, a->type ? a->type : "text/plain; charset=utf-8");
	MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, a->etag ? "no-cache" : "no-store");
	if (a->etag)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ETAG, a->etag);
	if (a->allow)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, a->allow);
	if (a->challenge)
		MHD_add_response_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"nowcast\"");
	if (a->retry_s) {
		snprintf(text, sizeof text, "%d", a->retry_s);
		MHD_add_response_header(r, MHD_HTTP_HEADER_RETRY_AFTER, text);
	}
}

// An answer is kept until its client has taken it, which may be slow.
static bool has_room(const struct http *h, size_t n)
{
	return n < LARGE || n + h->sending <= HTTP_SENDING_MAX;
}

static void refuse_large(struct http_answer *a)
{
	buf_release(&a->body);
	*a = (struct http_answer){
		.status = MHD_HTTP_SERVICE_UNAVAILABLE, .type = "application/json", .retry_s = 5};
	buf_adds(&a->body,
	         "{\"error\":\"other clients are still taking large answers: try again in a moment\"}\n");
}

enum MHD_Result http_send(struct exchange *e)
{
	struct http_answer *a = &e->x.answer;
	assert(a->status && !e->parked);
	struct str bytes = a->fixed.p ? a->fixed : buf_str(&a->body);
	struct buf packed = BUF_INIT;
	bool gzip = a->fixed.p ? a->fixed_gzip
	                       : e->x.request.gzip && bytes.len >= GZIP_BYTES_MIN &&
	                             gzip_into(&packed, bytes, GZIP_ANSWER);
	if (packed.len)
		bytes = buf_str(&packed);
	if (!a->fixed.p && !has_room(e->http, bytes.len)) {
		refuse_large(a);
		bytes = buf_str(&a->body);
		gzip = false;
	}
	if (a->etag && e->x.request.if_none_match.p && strstr(e->x.request.if_none_match.p, a->etag)) {
		a->status = MHD_HTTP_NOT_MODIFIED;
		bytes = STR("");
		gzip = false;
	}
	struct MHD_Response *r =
		MHD_create_response_from_buffer(bytes.len, (void *)(uintptr_t)(bytes.p ? bytes.p : ""),
	                                    a->fixed.p ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
	if (!a->fixed.p && bytes.len >= LARGE) {
		e->sending += bytes.len;
		e->http->sending += bytes.len;
	}
	buf_release(&packed);
	buf_release(&a->body); // it was copied
	if (!r)
		return MHD_NO;
	http_add_headers(r, a);
	if (gzip)
		MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	enum MHD_Result sent = MHD_queue_response(e->mhd, (unsigned)a->status, r);
	MHD_destroy_response(r);
	return sent;
}
