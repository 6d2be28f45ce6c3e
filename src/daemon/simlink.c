#include "daemon/simlink.h"

#include "base/mem.h"
#include "net/lines.h"
#include "net/mem.h"

#include <stdlib.h>

enum { UNREAD_MAX_BYTES = 64 * 1024 };

struct link {
	struct stream *stream; /* borrowed; its end is told by on_stream_closed */
	struct sim_conn *conn;
	struct lines lines;
	struct buf unread;
};

void simlink_init(struct simlink *l, struct loop *loop)
{
	*l = (struct simlink){.loop = loop};
}

void simlink_fini(struct simlink *l)
{
	map_fini(&l->hosts);
}

void simlink_add(struct simlink *l, const char *host, struct sim_network *net)
{
	map_put(&l->hosts, str_of(host), net);
}

static void on_server_line(void *owner, struct str bytes)
{
	struct link *k = owner;
	mem_stream_give(k->stream, bytes);
}

static void on_server_closed(void *owner, enum sim_end how)
{
	struct link *k = owner;
	mem_stream_end(k->stream, ERR_CLOSED,
		how == SIM_RESET ? "connection reset by peer" : "closed by the server");
}

static const struct sim_conn_events conn_events = {on_server_line, on_server_closed};

static void on_stream_bytes(void *data, struct str bytes)
{
	struct link *k = data;
	struct str line;
	if (buf_add(&k->unread, bytes) < 0)
		return; /* lines that no server would read */
	while (lines_next(&k->lines, &k->unread, &line))
		sim_receive(k->conn, line);
}

static void on_stream_closed(void *data)
{
	struct link *k = data;
	sim_close(k->conn);
	buf_fini(&k->unread);
	free(k);
}

static const struct mem_peer peer = {on_stream_bytes, on_stream_closed};

static struct stream *open_link(void *data, const char *host, const struct stream_events *events,
	void *owner, struct err *why)
{
	struct simlink *l = data;
	struct sim_network *net = map_get(&l->hosts, str_of(host));
	if (!net && l->find)
		net = l->find(l->data, str_of(host));
	if (!net) {
		err_set(why, ERR_DNS, "%s: there is no such host", host);
		return NULL;
	}
	struct link *k = mem_new(sizeof(*k));
	buf_init(&k->unread, UNREAD_MAX_BYTES);
	k->conn = sim_connect(net, &conn_events, k);
	if (l->tried)
		l->tried(l->data, net, k->conn);
	if (!k->conn) {
		free(k);
		err_set(why, ERR_REFUSED, "%s: connection refused", host);
		return NULL;
	}
	k->stream = mem_stream_new(l->loop, &peer, k, events, owner);
	return k->stream;
}

struct network_route simlink_route(struct simlink *l)
{
	return (struct network_route){open_link, l};
}
