#include "sim/server.h"

#include "irc/text.h"
#include "sim/client.h"
#include "sim/label.h"
#include "sim/multiline.h"

static const struct sim_command commands[] = {
	{"ADMIN",        0, SIM_AFTER,   sim_on_admin       },
	{"AUTHENTICATE", 1, SIM_ANYTIME, sim_on_authenticate},
	{"AWAY",         0, SIM_AFTER,   sim_on_away        },
	{"BATCH",        1, SIM_AFTER,   sim_on_batch       },
	{"CAP",          1, SIM_ANYTIME, sim_on_cap         },
	{"CHATHISTORY",  1, SIM_AFTER,   sim_on_chathistory },
	{"INFO",         0, SIM_AFTER,   sim_on_info        },
	{"INVITE",       2, SIM_AFTER,   sim_on_invite      },
	{"ISON",         1, SIM_AFTER,   sim_on_ison        },
	{"JOIN",         1, SIM_AFTER,   sim_on_join        },
	{"KICK",         2, SIM_AFTER,   sim_on_kick        },
	{"KILL",         1, SIM_AFTER,   sim_on_kill        },
	{"LINKS",        0, SIM_AFTER,   sim_on_links       },
	{"LIST",         0, SIM_AFTER,   sim_on_list        },
	{"LUSERS",       0, SIM_AFTER,   sim_on_lusers      },
	{"MODE",         1, SIM_AFTER,   sim_on_mode        },
	{"MONITOR",      1, SIM_AFTER,   sim_on_monitor     },
	{"MOTD",         0, SIM_AFTER,   sim_on_motd        },
	{"NAMES",        0, SIM_AFTER,   sim_on_names       },
	{"NICK",         0, SIM_ANYTIME, sim_on_nick        }, /* 431 */
	{"NOTICE",       0, SIM_AFTER,   sim_on_notice      },
	{"OPER",         2, SIM_AFTER,   sim_on_oper        },
	{"PART",         1, SIM_AFTER,   sim_on_part        },
	{"PASS",         1, SIM_BEFORE,  sim_on_pass        },
	{"PING",         1, SIM_ANYTIME, sim_on_ping        },
	{"PONG",         0, SIM_ANYTIME, sim_on_pong        },
	{"PRIVMSG",      0, SIM_AFTER,   sim_on_privmsg     }, /* 411, 412 */
	{"QUIT",         0, SIM_ANYTIME, sim_on_quit        },
	{"REDACT",       2, SIM_AFTER,   sim_on_redact      },
	{"RENAME",       2, SIM_AFTER,   sim_on_rename      },
	{"SETNAME",      1, SIM_AFTER,   sim_on_setname     },
	{"TAGMSG",       0, SIM_AFTER,   sim_on_tagmsg      },
	{"TIME",         0, SIM_AFTER,   sim_on_time        },
	{"TOPIC",        1, SIM_AFTER,   sim_on_topic       },
	{"USER",         4, SIM_BEFORE,  sim_on_user        },
	{"USERHOST",     1, SIM_AFTER,   sim_on_userhost    },
	{"VERSION",      0, SIM_AFTER,   sim_on_version     },
	{"WHO",          0, SIM_AFTER,   sim_on_who         },
	{"WHOIS",        1, SIM_AFTER,   sim_on_whois       },
	{"WHOWAS",       1, SIM_AFTER,   sim_on_whowas      },
};

const struct sim_command *sim_command_at(size_t i)
{
	return i < COUNTOF(commands) ? &commands[i] : NULL;
}

static const struct sim_command *find_command(struct str name)
{
	for (size_t i = 0; i < COUNTOF(commands); i++)
		if (str_ieq(str_of(commands[i].name), name))
			return &commands[i];
	return NULL;
}

/* False when the client was closed for talking too fast. */
static bool count_line(struct sim_client *c)
{
	const struct sim_network *net = c->net;
	int64_t now_ns = net->timers->now_ns;
	if (now_ns - c->flood_ns >= net->flood_ns) {
		c->flood_ns = now_ns;
		c->flood_lines = 0;
	}
	c->flood_lines++;
	if (c->is_person || net->flood_lines == 0 || c->flood_lines <= net->flood_lines)
		return true;
	sim_client_close(c, "Excess Flood");
	return false;
}

static struct str without_end(struct str line)
{
	size_t n = str_find(line, '\n');
	n = n && n <= line.n && line.p[n - 1] == '\r' ? n - 1 : n;
	return (struct str){line.p, n};
}

/* The bytes that the tags take, with @ and the space. */
static size_t tags_size(struct str line)
{
	return line.n && line.p[0] == '@' ? str_find(line, ' ') + 1 : 0;
}

/* False when nothing is left to be served. */
static bool check_length(struct sim_client *c, struct str *line)
{
	size_t tags = tags_size(*line);
	size_t max = tags + c->net->isupport->linelen - 2;
	if (tags > MESSAGE_SENT_TAGS_BYTES + 2) {
		sim_reply(c, 417, ":Input line was too long");
		return false;
	}
	if (line->n <= max)
		return true;
	switch (c->net->profile->too_long) {
	case SIM_TOO_LONG_CUT:
		line->n = max;
		return true;
	case SIM_TOO_LONG_417:
		sim_reply(c, 417, ":Input line too long");
		return false;
	case SIM_TOO_LONG_CLOSE:
		sim_client_close(c, "Request too long");
		return false;
	}
	return false;
}

static bool check_text(struct sim_client *c, struct str line)
{
	if (!c->net->profile->is_utf8_only || text_is_utf8(line))
		return true;
	sim_tell(c, NULL, "FAIL * INVALID_UTF8 :Message rejected for containing invalid UTF-8");
	return false;
}

static void run(struct sim_client *c, const struct message *m)
{
	const struct sim_command *command = find_command(m->command);
	bool is_ready = c->stage == SIM_READY;
	if (!command)
		sim_reply(c, 421, "%" STR_F " :Unknown command", STR_A(m->command));
	else if (!is_ready && command->when == SIM_AFTER)
		sim_reply(c, 451, ":You have not registered");
	else if (is_ready && command->when == SIM_BEFORE)
		sim_reply(c, 462, ":You may not reregister");
	else if (m->n_params < command->min_params)
		sim_reply(c, 461, "%s :Not enough parameters", command->name);
	else
		command->run(c, m);
}

static void dispatch(struct sim_client *c, const struct message *m)
{
	sim_label_begin(c, message_tag(m, STR("label")));
	if (c->stage != SIM_READY || !sim_batch_takes(c, m))
		run(c, m);
	sim_label_end(c);
}

static bool is_deaf(const struct sim_client *c)
{
	return c->faults.silence == FAULT_SILENT ||
	       (c->faults.silence == FAULT_SILENT_WHEN_READY && c->is_greeted);
}

void sim_serve(struct sim_client *c, struct str line)
{
	struct message m;
	line = without_end(line);
	if (c->stage == SIM_GONE || c->stage == SIM_SPLIT || line.n == 0)
		return;
	if (!count_line(c) || is_deaf(c))
		return;
	c->heard_ns = c->net->timers->now_ns;
	c->is_pinged = false;
	if (check_length(c, &line) && check_text(c, line) && message_parse(&m, line) == 0)
		dispatch(c, &m);
}
