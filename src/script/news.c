#include "script/news.h"

#include "script/host.h"
#include "script/persist.h"

enum { TEXT_MAX_BYTES = 8192 };

static void put_text(struct buf *b, const char *key, struct str text)
{
	if (text.n > TEXT_MAX_BYTES)
		text.n = TEXT_MAX_BYTES;
	persist_put_str(b, str_of(key));
	persist_put_str(b, text);
}

static struct buf *begin(const struct script *s)
{
	struct buf *b = &s->host->news;
	buf_reset(b);
	persist_open(b);
	put_text(b, "script", str_of(s->name));
	return b;
}

static void tell(const struct script *s, int kind)
{
	struct host *h = s->host;
	persist_close(&h->news);
	struct event e = {.kind = kind,
		.name = event_name(kind),
		.values = buf_str(&h->news),
		.wall_ns = host_wall_ns(h)};
	host_post(h, &e);
}

void news_loaded(const struct script *s, bool is_reload)
{
	struct buf *b = begin(s);
	persist_put_str(b, STR("reload"));
	persist_put_bool(b, is_reload);
	tell(s, EVENT_SCRIPT_LOAD);
}

void news_unloaded(const struct script *s, const char *reason)
{
	put_text(begin(s), "reason", str_of(reason));
	tell(s, EVENT_SCRIPT_UNLOAD);
}

void news_error(const struct script *s, const char *doing, const char *text)
{
	struct str rest = str_of(text);
	struct str message = str_cut(&rest, '\n');
	struct buf *b = begin(s);
	put_text(b, "doing", str_of(doing));
	put_text(b, "message", message);
	if (rest.p)
		put_text(b, "traceback", rest);
	tell(s, EVENT_SCRIPT_ERROR);
}
