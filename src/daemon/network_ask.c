#include "daemon/network_inside.h"

#define FLUSH_LOOK_NS (10 * NS_PER_MS)

static void ask_mark(void *data, struct net_mark *out)
{
	const struct network *n = data;
	*out = (struct net_mark){.lines = session_pushed(n->session), .is_queued = true};
}

static bool ask_is_past(void *data, struct net_mark *mark)
{
	struct network *n = data;
	if (mark->is_queued && n->stream && session_is_past(n->session, mark->lines)) {
		mark->is_queued = false;
		mark->bytes = n->stream->written + n->stream->out.n;
	}
	if (!mark->is_queued && n->stream && n->stream->written >= mark->bytes)
		return true;
	if (!timer_is_set(&n->flush))
		timers_after(&n->parts.loop->timers, &n->flush, FLUSH_LOOK_NS);
	return false;
}

static void on_flush_look(struct timer *t)
{
	struct network *n = container_of(t, struct network, flush);
	net_flushed(n->net);
}

/* In line for its turn it has no time. */
static int64_t dial_in_ns(const struct network *n)
{
	int64_t left_ns = n->held_until_ns - now_of(n);
	if (!n->is_held)
		return -1;
	return left_ns > 0 ? left_ns : 0;
}

static void give_facts(void *data, struct net_facts *out)
{
	const struct network *n = data;
	enum session_state s = session_state(n->session);
	*out = (struct net_facts){
		.nick = session_nick(n->session),
		.account = session_account(n->session),
		.host = host_of(n)->name,
		.port = port_of(n),
		.state = network_state_name(n->state),
		.is_connected = !n->is_ending && (s == SESSION_REGISTERING || s == SESSION_READY),
		.is_usable = n->is_usable && !n->is_ending && n->state != NETWORK_CLOSING,
		.is_closing = n->state == NETWORK_CLOSING,
		.has_tags = caps_has(session_caps(n->session), CAP_MESSAGE_TAGS),
		.attempt = n->attempt,
		.lag_ns = session_lag_ns(n->session),
		.dial_in_ns = dial_in_ns(n),
		.isupport = session_isupport(n->session),
		.caps = session_caps(n->session),
	};
}

static struct isupport *give_isupport(void *data)
{
	const struct network *n = data;
	return session_isupport(n->session);
}

static const struct roster *give_roster(void *data)
{
	const struct network *n = data;
	return session_roster(n->session);
}

static int ask_send(void *data, struct str line, bool is_raw, struct err *err)
{
	struct network *n = data;
	if (n->is_ending)
		return err_set(err, ERR_DISCONNECTED, "%s is not connected", name_of(n));
	int r = is_raw ? session_raw(n->session, line, now_of(n), err)
		       : session_send(n->session, line, now_of(n), err);
	network_set_tick(n);
	return r;
}

static int ask_request(void *data, struct str line, int64_t timeout_ns, void *asker,
	struct handle *id, struct err *err)
{
	struct network *n = data;
	if (n->is_ending)
		return err_set(err, ERR_DISCONNECTED, "%s is not connected", name_of(n));
	int r = session_request(n->session, line, timeout_ns, asker, id, now_of(n), err);
	network_set_tick(n);
	return r;
}

static void ask_forget_request(void *data, struct handle id)
{
	const struct network *n = data;
	session_forget_request(n->session, id);
}

static bool ask_say(void *data, struct str target, struct str text)
{
	struct network *n = data;
	return !n->is_ending && session_say(n->session, target, text, now_of(n));
}

static void give_waiting(void *data, void (*told)(void *to, const struct sendq_wait *w), void *to)
{
	const struct network *n = data;
	session_each_waiting(n->session, now_of(n), told, to);
}

static void ask_connect(void *data)
{
	network_connect(data);
}

static bool ask_disconnect(void *data, struct str message)
{
	return network_end(data, message);
}

const struct net_ops network_net_ops = {
	.facts = give_facts,
	.isupport = give_isupport,
	.send = ask_send,
	.request = ask_request,
	.forget_request = ask_forget_request,
	.say = ask_say,
	.waiting = give_waiting,
	.mark = ask_mark,
	.is_past = ask_is_past,
	.connect = ask_connect,
	.disconnect = ask_disconnect,
	.roster = give_roster,
};

void network_ask_init(struct network *n)
{
	n->flush.fire = on_flush_look;
	n->net = net_new(n->parts.host, n->config->name, &network_net_ops, n);
}
