#include "sim/account.h"

#include "base/mem.h"
#include "irc/base64.h"
#include "sim/client.h"
#include "sim/fault.h"
#include "sim/server.h"
#include "sim/wire.h"

#include <stdlib.h>
#include <string.h>

enum {
	CHUNK_BYTES = 400, /* IRCv3 SASL 3.1 */
	RESPONSE_MAX_BYTES = 8 * CHUNK_BYTES
};

struct sim_registered {
	struct list node;
	char *name, *password; /* owned */
};

void sim_accounts_init(struct sim_network *net, const struct sim_account *accounts)
{
	list_init(&net->accounts);
	net->has_accounts = accounts;
	for (size_t i = 0; accounts && accounts[i].name; i++) {
		struct sim_registered *a = mem_new(sizeof(*a));
		a->name = mem_strdup(accounts[i].name);
		a->password = mem_strdup(accounts[i].password);
		list_append(&net->accounts, &a->node);
	}
}

void sim_accounts_fini(struct sim_network *net)
{
	list_each_safe (node, &net->accounts) {
		struct sim_registered *a = container_of(node, struct sim_registered, node);
		list_remove(&a->node);
		free(a->name);
		free(a->password);
		free(a);
	}
	free(net->sasl_words);
}

void sim_account_set(struct sim_client *c, const char *account)
{
	if (str_eq(str_of(c->account), str_of(account)))
		return;
	sim_set(&c->account, str_of(account), SIM_NAME_MAX_BYTES - 1);
	sim_notify(c, SIM_CAP_ACCOUNT_NOTIFY, "ACCOUNT %s", account ? account : "*");
}

static void log_in(struct sim_client *c, const char *account)
{
	const char *name = sim_client_name(c), *user = c->user ? c->user : "*";
	if (account)
		sim_reply(c, 900, "%s!%s@%s %s :You are now logged in as %s", name, user, c->host,
			account, account);
	else
		sim_reply(c, 901, "%s!%s@%s :You are now logged out", name, user, c->host);
	sim_account_set(c, account);
}

bool sim_login(struct sim_network *net, const char *nick, const char *account)
{
	struct sim_client *c = sim_find(net, str_of(nick));
	if (!c)
		return false;
	log_in(c, account);
	sim_wire_run(net);
	return true;
}

void fault_sasl(struct sim_network *net, bool is_failing, const char *words)
{
	free(net->sasl_words);
	net->is_sasl_failing = is_failing;
	net->sasl_words = mem_strdup(words);
}

bool sim_is_offered(const struct sim_network *net, struct str cap)
{
	bool is_lost = net->is_without_services && str_eq(cap, STR("sasl"));
	return !is_lost && sim_profile_offers(net->profile, cap);
}

static struct str mechanisms(const struct sim_network *net)
{
	return sim_profile_cap_value(net->profile, STR("sasl"));
}

void sim_services(struct sim_network *net, bool is_up)
{
	struct str offered = mechanisms(net);
	if (net->is_without_services == !is_up || !offered.p)
		return;
	net->is_without_services = !is_up;
	list_each (node, &net->clients) {
		struct sim_client *c = container_of(node, struct sim_client, node);
		if (!is_up)
			sim_account_abort(c);
		if (!is_up && (c->caps & SIM_CAP_CAP_NOTIFY))
			sim_tell(c, NULL, "CAP %s DEL :sasl", sim_client_name(c));
		else if (c->caps & SIM_CAP_CAP_NOTIFY)
			sim_tell(c, NULL, "CAP %s NEW :sasl=%" STR_F, sim_client_name(c),
				STR_A(offered));
		if (!is_up)
			c->caps &= ~SIM_CAP_SASL;
	}
	sim_wire_run(net);
}

static void end(struct sim_client *c, int numeric, const char *words)
{
	c->is_logging_in = false;
	buf_fini(&c->sasl);
	sim_reply(c, numeric, ":%s", words);
}

static void fail(struct sim_client *c)
{
	const char *words = c->net->sasl_words;
	end(c, 904, words ? words : "SASL authentication failed");
}

void sim_account_abort(struct sim_client *c)
{
	if (c->is_logging_in)
		end(c, 906, "SASL authentication aborted");
}

static bool has_mechanism(const struct sim_network *net, struct str wanted)
{
	struct str rest = mechanisms(net);
	while (rest.n)
		if (str_ieq(str_cut(&rest, ','), wanted))
			return true;
	return false;
}

static void begin(struct sim_client *c, struct str mechanism)
{
	if (!has_mechanism(c->net, mechanism)) {
		sim_reply(c, 908, "%" STR_F " :are available SASL mechanisms",
			STR_A(mechanisms(c->net)));
		fail(c);
		return;
	}
	c->is_logging_in = true;
	buf_fini(&c->sasl);
	buf_init(&c->sasl, RESPONSE_MAX_BYTES);
	sim_tell_plain(c, "AUTHENTICATE +");
}

/* NULL for one that is not to be had. */
static const char *find_account(
	const struct sim_network *net, const char *name, const char *password)
{
	if (!net->has_accounts)
		return name;
	list_each (node, &net->accounts) {
		const struct sim_registered *a = container_of(node, struct sim_registered, node);
		if (sim_same(net, str_of(a->name), str_of(name)) &&
			strcmp(a->password, password) == 0)
			return a->name;
	}
	return NULL;
}

/* The three fields of PLAIN (RFC 4616), as strings of bytes: NULL, or the account they open. */
static const char *open_account(const struct sim_network *net, struct str response)
{
	struct str rest = response;
	struct str as = str_cut(&rest, '\0'), name = str_cut(&rest, '\0');
	bool is_own = !as.n || str_eq(as, name);
	if (!rest.p || str_has(rest, '\0') || !name.n || name.n >= SIM_NAME_MAX_BYTES || !is_own)
		return NULL;
	return find_account(net, name.p, rest.p);
}

static void check(struct sim_client *c)
{
	struct buf response;
	buf_init(&response, RESPONSE_MAX_BYTES);
	const char *account = NULL;
	if (base64_decode(&response, buf_str(&c->sasl)) == 0 && !c->net->is_sasl_failing)
		account = open_account(c->net, buf_str(&response));
	if (account) {
		log_in(c, account);
		end(c, 903, "SASL authentication successful");
	} else {
		fail(c);
	}
	buf_fini(&response);
}

static void take_chunk(struct sim_client *c, struct str chunk)
{
	bool is_empty = str_eq(chunk, STR("+"));
	if (chunk.n > CHUNK_BYTES || (!is_empty && buf_add(&c->sasl, chunk) < 0))
		end(c, 905, "SASL message too long");
	else if (chunk.n < CHUNK_BYTES)
		check(c);
}

void sim_on_authenticate(struct sim_client *c, const struct message *m)
{
	struct str word = m->params[0];
	if (!(c->caps & SIM_CAP_SASL))
		sim_unknown(c, "AUTHENTICATE");
	else if (str_eq(word, STR("*")))
		end(c, 906, "SASL authentication aborted");
	else if (c->is_logging_in)
		take_chunk(c, word);
	else
		begin(c, word);
}
