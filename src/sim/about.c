#include "base/clock.h"
#include "sim/client.h"
#include "sim/server.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ISUPPORT_LINE_TOKENS = 13, ISUPPORT_LINE_BYTES = 400, ISUPPORT_BUF_BYTES = 800 };

static void send_isupport(struct sim_client *c, struct buf *line, unsigned *n)
{
	if (line->n)
		sim_reply(c, 5, "%s:are supported by this server", buf_str(line).p);
	buf_reset(line);
	*n = 0;
}

/* The network's own name in place of the profile's. */
static void add_token(struct sim_client *c, struct buf *line, struct str token)
{
	bool is_name = str_starts(token, STR("NETWORK="));
	int r = is_name ? buf_addf(line, "NETWORK=%s ", c->net->name)
			: buf_addf(line, "%" STR_F " ", STR_A(token));
	(void)r; /* the tokens of a profile are short */
}

static void tell_isupport(struct sim_client *c)
{
	struct str rest = str_of(c->net->profile->isupport), token;
	struct buf line;
	unsigned n = 0;
	buf_init(&line, ISUPPORT_BUF_BYTES);
	while ((token = str_word(&rest, " ")).n) {
		if (n == ISUPPORT_LINE_TOKENS || line.n + token.n > ISUPPORT_LINE_BYTES)
			send_isupport(c, &line, &n);
		add_token(c, &line, token);
		n++;
	}
	send_isupport(c, &line, &n);
	buf_fini(&line);
}

void sim_on_lusers(struct sim_client *c, const struct message *m)
{
	const struct sim_network *net = c->net;
	size_t users = map_count(&net->nicks);
	(void)m;
	sim_reply(c, 251, ":There are %zu users and 0 invisible on 1 servers", users);
	sim_reply(c, 254, "%zu :channels formed", map_count(&net->channels));
	sim_reply(c, 255, ":I have %zu clients and 0 servers", users);
}

void sim_on_motd(struct sim_client *c, const struct message *m)
{
	(void)m;
	if (!c->net->motd) {
		sim_reply(c, 422, ":MOTD File is missing");
		return;
	}
	sim_reply(c, 375, ":- %s Message of the Day -", c->net->server);
	for (char **line = c->net->motd; *line; line++)
		sim_reply(c, 372, ":- %s", *line);
	sim_reply(c, 376, ":End of /MOTD command.");
}

void sim_on_version(struct sim_client *c, const struct message *m)
{
	(void)m;
	sim_reply(c, 351, "%s. %s :", c->net->profile->version, c->net->server);
	tell_isupport(c);
}

static const char *write_time(const struct sim_network *net, int64_t at_ns, char text[64])
{
	struct tm tm;
	time_t at = (time_t)sim_wall_s(net, at_ns);
	gmtime_r(&at, &tm);
	strftime(text, 64, "%H:%M:%S %b %d %Y", &tm);
	return text;
}

static void tell_age(struct sim_client *c)
{
	char text[64];
	sim_reply(
		c, 3, ":This server was created %s", write_time(c->net, c->net->created_ns, text));
}

void sim_on_time(struct sim_client *c, const struct message *m)
{
	char text[64];
	(void)m;
	sim_reply(
		c, 391, "%s :%s", c->net->server, write_time(c->net, c->net->timers->now_ns, text));
}

void sim_on_admin(struct sim_client *c, const struct message *m)
{
	(void)m;
	sim_reply(c, 256, "%s :Administrative info", c->net->server);
	sim_reply(c, 257, ":%s", c->net->name);
	sim_reply(c, 258, ":A network in memory");
	sim_reply(c, 259, ":admin@%s", c->net->server);
}

void sim_on_info(struct sim_client *c, const struct message *m)
{
	(void)m;
	sim_reply(c, 371, ":%s", c->net->profile->version);
	sim_reply(c, 374, ":End of /INFO list");
}

void sim_on_links(struct sim_client *c, const struct message *m)
{
	const char *server = c->net->server;
	(void)m;
	sim_reply(c, 364, "%s %s :0 %s", server, server, c->net->name);
	sim_reply(c, 365, "* :End of /LINKS list");
}

void sim_greet(struct sim_client *c)
{
	const struct sim_network *net = c->net;
	const struct sim_profile *p = net->profile;
	sim_reply(c, 1, ":Welcome to the %s IRC Network %s!%s@%s", net->name, c->nick, c->user,
		c->host);
	sim_reply(c, 2, ":Your host is %s, running version %s", net->server, p->version);
	tell_age(c);
	sim_reply(c, 4, "%s %s %s %s", net->server, p->version, p->user_modes, p->channel_modes);
	tell_isupport(c);
	sim_on_lusers(c, NULL);
	sim_on_motd(c, NULL);
}

void sim_on_oper(struct sim_client *c, const struct message *m)
{
	(void)m;
	sim_reply(c, 491, ":No appropriate operator blocks were found for your host");
}

void sim_on_kill(struct sim_client *c, const struct message *m)
{
	(void)m;
	sim_reply(c, 481, ":Permission Denied - You do not have the required operator privileges");
}
