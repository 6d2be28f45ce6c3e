#include "irc/fields.h"
#include "irc/roster_inside.h"

struct str roster_account_of(struct str s)
{
	bool is_none = str_eq(s, STR("*")) || str_eq(s, STR("0"));
	return is_none ? STR("") : s;
}

static uint32_t find_user(const struct roster_hearing *h, size_t param)
{
	return book_find_user(h->b, message_param(h->m, param));
}

/* Of ourselves. */

static void on_back(struct roster_hearing *h)
{
	book_set_away(h->b, h->b->me, false, STR_NONE);
}

static void on_gone(struct roster_hearing *h)
{
	book_set_away(h->b, h->b->me, true, STR_NONE);
}

static void on_logged_in(struct roster_hearing *h)
{
	book_learn_one(h->b, h->b->me, TEXT_ACCOUNT, h->m->params[2]);
}

static void on_logged_out(struct roster_hearing *h)
{
	book_learn_one(h->b, h->b->me, TEXT_ACCOUNT, STR(""));
}

/* Some servers put the user in front. */
static void on_visible_host(struct roster_hearing *h)
{
	struct str host = h->m->params[1], user = str_cut(&host, '@');
	if (host.p)
		book_learn_address(h->b, h->b->me, user, host);
	else
		book_learn_address(h->b, h->b->me, STR_NONE, user);
}

/* WHO. */

struct who {
	struct str channel, nick, flags;
	struct str texts[TEXT_COUNT];
};

/* "H*@+B": here or gone, then in no order that all servers share. */
static void hear_who_flags(const struct roster_hearing *h, uint32_t user, struct str flags)
{
	struct str bot = isupport_get(h->is, STR("BOT"));
	char bot_letter = bot.n ? bot.p[0] : 'B';
	if (str_starts(flags, STR("H")) || str_starts(flags, STR("G")))
		book_set_away(h->b, user, flags.p[0] == 'G', STR_NONE);
	if (!str_has(str_of(h->b->prefix_symbols), '*'))
		book_set_flag(h->b, user, USER_OPER, str_has(flags, '*'));
	if (bot.n || str_has(flags, bot_letter))
		book_set_flag(h->b, user, USER_BOT, str_has(flags, bot_letter));
}

static uint16_t prefixes_among(const struct roster_hearing *h, struct str flags)
{
	struct str symbols = str_of(h->b->prefix_symbols);
	unsigned bits = 0;
	for (size_t i = 0; i < symbols.n; i++)
		if (str_has(flags, symbols.p[i]))
			bits |= 1u << i;
	return (uint16_t)bits;
}

static void hear_who(const struct roster_hearing *h, const struct who *who)
{
	uint32_t user = book_find_user(h->b, who->nick);
	uint32_t channel = book_find_channel(h->b, who->channel);
	if (user == SLOTS_NONE)
		return;
	book_learn(h->b, user, who->texts);
	hear_who_flags(h, user, who->flags);
	uint32_t member =
		channel != SLOTS_NONE ? book_find_member(h->b, channel, user) : SLOTS_NONE;
	if (member != SLOTS_NONE)
		book_show_prefixes(h->b, member, prefixes_among(h, who->flags));
}

/* me channel user host server nick flags :hops real name */
static void on_who(struct roster_hearing *h)
{
	const struct str *p = h->m->params;
	struct str real_name = message_param(h->m, 7);
	str_cut(&real_name, ' ');
	hear_who(h, &(struct who){
			    .channel = p[1],
			    .nick = p[5],
			    .flags = p[6],
			    .texts = {[TEXT_USER] = p[2],
				      [TEXT_HOST] = p[3],
				      [TEXT_REAL_NAME] = real_name}
        });
}

static void on_whox(struct roster_hearing *h)
{
	const struct str *p = h->m->params;
	if (!str_eq(p[WHO_PARAM_TOKEN], STR(ROSTER_WHO_TOKEN)) || h->m->n_params != WHO_PARAMS)
		return;
	hear_who(h, &(struct who){
			    .channel = p[WHO_PARAM_CHANNEL],
			    .nick = p[WHO_PARAM_NICK],
			    .flags = p[WHO_PARAM_FLAGS],
			    .texts = {[TEXT_USER] = p[WHO_PARAM_USER],
				      [TEXT_HOST] = p[WHO_PARAM_HOST],
				      [TEXT_ACCOUNT] = roster_account_of(p[WHO_PARAM_ACCOUNT]),
				      [TEXT_REAL_NAME] = p[WHO_PARAM_REAL_NAME]}
        });
}

static void on_end_of_who(struct roster_hearing *h)
{
	roster_end_who(h->r, h->m->params[1]);
}

/* Other answers that name a user. */

/* nick*=+user@host: the star for an operator, + here, - away */
static void hear_userhost(const struct roster_hearing *h, struct str word)
{
	struct str host = word, nick = str_cut(&host, '=');
	bool is_oper = nick.n && nick.p[nick.n - 1] == '*';
	nick.n -= is_oper;
	uint32_t user = book_find_user(h->b, nick);
	if (user == SLOTS_NONE || host.n < 2)
		return;
	book_set_flag(h->b, user, USER_OPER, is_oper);
	book_set_away(h->b, user, host.p[0] == '-', STR_NONE);
	host = str_skip(host, 1);
	struct str name = str_cut(&host, '@');
	if (name.n && host.n)
		book_learn_address(h->b, user, name, host);
}

static void on_userhost(struct roster_hearing *h)
{
	struct str rest = message_last(h->m), word;
	for (word = str_word(&rest, " "); word.p; word = str_word(&rest, " "))
		hear_userhost(h, word);
}

static void on_user_away(struct roster_hearing *h)
{
	book_set_away(h->b, find_user(h, 1), true, message_param(h->m, 2));
}

static void on_whois_user(struct roster_hearing *h)
{
	const struct str *p = h->m->params;
	struct str texts[TEXT_COUNT] = {
		[TEXT_USER] = p[2], [TEXT_HOST] = p[3], [TEXT_REAL_NAME] = message_param(h->m, 5)};
	uint32_t user = find_user(h, 1);
	if (user != SLOTS_NONE)
		book_learn(h->b, user, texts);
}

static void on_whois_oper(struct roster_hearing *h)
{
	book_set_flag(h->b, find_user(h, 1), USER_OPER, true);
}

static void on_whois_account(struct roster_hearing *h)
{
	book_learn_one(h->b, find_user(h, 1), TEXT_ACCOUNT, h->m->params[2]);
}

static void on_whois_bot(struct roster_hearing *h)
{
	book_set_flag(h->b, find_user(h, 1), USER_BOT, true);
}

static const struct roster_row answers[EVENT_ANY] = {
	[301] = {2, on_user_away    },
	[302] = {2, on_userhost     },
	[305] = {1, on_back         },
	[306] = {1, on_gone         },
	[311] = {4, on_whois_user   },
	[313] = {2, on_whois_oper   },
	[315] = {2, on_end_of_who   },
	[330] = {3, on_whois_account},
	[335] = {2, on_whois_bot    },
	[352] = {7, on_who          },
	[354] = {2, on_whox         },
	[396] = {2, on_visible_host },
	[900] = {3, on_logged_in    },
	[901] = {1, on_logged_out   },
};

const struct roster_row *roster_answer_find(int kind)
{
	return kind < EVENT_ANY && answers[kind].run ? &answers[kind] : NULL;
}
