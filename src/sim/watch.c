#include "sim/watch.h"

#include "base/mem.h"
#include "sim/client.h"
#include "sim/wire.h"

#include <stdarg.h>
#include <stdlib.h>

struct sim_watcher {
	struct sim_client client;
	sim_overheard *heard;
	void *data;
};

/* The number stands before the line. */
static void deliver(struct sim_client *c, struct str line)
{
	const struct sim_watcher *w = container_of(c, struct sim_watcher, client);
	struct str by = str_cut(&line, ' ');
	struct message m;
	int64_t number;
	line.n -= 2;
	if (str_int(by, 0, INT64_MAX, &number) && message_parse(&m, line) == 0)
		w->heard(w->data, (uint64_t)number, &m);
}

static void ended(struct sim_client *c, enum sim_end how)
{
	(void)c;
	(void)how;
}

static void free_watcher(struct sim_client *c)
{
	free(container_of(c, struct sim_watcher, client));
}

static const struct sim_client_ops ops = {deliver, ended, free_watcher};

void sim_watch(struct sim_network *net, sim_overheard *heard, void *data)
{
	struct sim_watcher *w = mem_new(sizeof(*w));
	w->client.net = net;
	w->client.ops = &ops;
	w->client.stage = SIM_GONE; /* as far as everybody else is concerned */
	w->heard = heard;
	w->data = data;
	net->watcher = &w->client;
}

void sim_overhear(struct sim_network *net, const struct sim_client *from, const char *fmt, ...)
{
	struct buf *b = &net->line;
	if (!net->watcher)
		return;
	va_list ap;
	va_start(ap, fmt);
	buf_reset(b);
	int r = from ? buf_addf(b, "%llu :%s!%s@%s ", (unsigned long long)from->number, from->nick,
			       from->user, from->host)
		     : buf_addf(b, "0 :%s ", net->server);
	r |= buf_addv(b, fmt, ap);
	r |= buf_add(b, STR("\r\n"));
	va_end(ap);
	if (r == 0)
		sim_wire_put(net->watcher, SIM_WIRE_TO_CLIENT, buf_str(b));
}
