#include "sim/account.h"
#include "sim/client.h"
#include "sim/server.h"

enum { CAP_LINE_BYTES = 400 };

/* A line of CAP LS as far as it has come. */
struct cap_list {
	struct sim_client *c;
	const char *verb;
	bool is_302;
	struct buf names;
};

static void send_caps(struct cap_list *l, bool is_last)
{
	const char *pad = l->c->net->profile->is_space_padded ? " " : "";
	sim_tell(l->c, NULL, "CAP %s %s %s:%s%s", sim_client_name(l->c), l->verb,
		is_last || !l->is_302 ? "" : "* ", buf_str(&l->names).p, pad);
	buf_reset(&l->names);
}

static void list_cap(struct cap_list *l, struct str cap)
{
	if (!l->is_302)
		cap.n = str_find(cap, '=');
	const char *gap = l->names.n ? " " : "";
	if (buf_addf(&l->names, "%s%" STR_F, gap, STR_A(cap)) == 0)
		return;
	send_caps(l, false);
	int r = buf_add(&l->names, cap);
	(void)r; /* names in the table are short */
}

static void list_caps(struct sim_client *c, const char *verb, bool is_302, bool only_enabled)
{
	struct cap_list l = {c, verb, is_302, {0}};
	buf_init(&l.names, CAP_LINE_BYTES);
	struct str rest = str_of(c->net->profile->offered), cap;
	while ((cap = str_word(&rest, " ")).n) {
		struct str value = cap, name = str_cut(&value, '=');
		bool is_listed =
			only_enabled ? sim_cap_find(name) & c->caps : sim_is_offered(c->net, name);
		if (is_listed)
			list_cap(&l, only_enabled ? name : cap);
	}
	send_caps(&l, true);
	buf_fini(&l.names);
}

static void on_ls(struct sim_client *c, const struct message *m)
{
	int64_t version;
	bool is_302 = m->n_params > 1 && str_int(m->params[1], 302, 9999, &version);
	if (c->stage == SIM_REGISTERING)
		c->is_negotiating = true;
	if (is_302)
		c->caps |= SIM_CAP_CAP_NOTIFY;
	list_caps(c, "LS", is_302, false);
}

static void on_list(struct sim_client *c, const struct message *m)
{
	(void)m;
	list_caps(c, "LIST", false, true);
}

static void on_end(struct sim_client *c, const struct message *m)
{
	(void)m;
	c->is_negotiating = false;
	if (c->stage == SIM_REGISTERING)
		sim_account_abort(c);
	sim_try_welcome(c);
}

/* What a REQ asks for; false when a name is not to be had. */
static bool read_request(const struct sim_client *c, struct str list, unsigned *on, unsigned *off)
{
	struct str word;
	*on = *off = 0;
	while ((word = str_word(&list, " ")).n) {
		bool is_minus = word.p[0] == '-';
		struct str name = str_skip(word, is_minus);
		unsigned bit = sim_cap_find(name);
		if (!bit || !sim_is_offered(c->net, name))
			return false;
		*(is_minus ? off : on) |= bit;
	}
	return true;
}

static bool asks_for_poison(const struct sim_client *c, struct str list)
{
	struct str word, poison = str_of(c->net->profile->poison);
	while (poison.n && (word = str_word(&list, " ")).n)
		if (str_eq(word, poison))
			return true;
	return false;
}

static void on_req(struct sim_client *c, const struct message *m)
{
	unsigned on, off;
	struct str list = m->n_params > 1 ? message_last(m) : STR("");
	if (c->stage == SIM_REGISTERING)
		c->is_negotiating = true;
	if (asks_for_poison(c, list)) {
		sim_client_close(c, "Excess capability requests");
		return;
	}
	bool is_had = read_request(c, list, &on, &off);
	if (is_had)
		c->caps = (c->caps | on) & ~off;
	sim_tell(c, NULL, "CAP %s %s :%" STR_F, sim_client_name(c), is_had ? "ACK" : "NAK",
		STR_A(list));
}

void sim_on_cap(struct sim_client *c, const struct message *m)
{
	static const struct {
		const char *name;
		void (*run)(struct sim_client *c, const struct message *m);
	} verbs[] = {
		{"END",  on_end },
		{"LIST", on_list},
		{"LS",   on_ls  },
		{"REQ",  on_req },
	};
	for (size_t i = 0; i < COUNTOF(verbs); i++) {
		if (str_ieq(str_of(verbs[i].name), m->params[0])) {
			verbs[i].run(c, m);
			return;
		}
	}
	sim_reply(c, 410, "%" STR_F " :Invalid CAP command", STR_A(m->params[0]));
}
