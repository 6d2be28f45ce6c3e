/*
 * reply_table: which replies answer which command, and what they tell.
 *
 * Rows for reply.c. An answer is a kind or a range of them, what the reply does to the question,
 * and how to know that it is this question's: by a parameter of the reply that one of the question
 * must equal, counted from the end where it is negative. The first answer that fits a line counts;
 * those that every command may have come last.
 */
#ifndef EBB_IRC_REPLY_TABLE_H
#define EBB_IRC_REPLY_TABLE_H

#define RANGE_BY(role, first, last, at, of)        \
	{                                          \
		first, last, role, is_same, at, of \
	}
#define RANGE(role, first, last)                     \
	{                                            \
		first, last, role, NULL, 0, NO_PARAM \
	}
#define CHECKED(role, kind, check, at, of)      \
	{                                       \
		kind, kind, role, check, at, of \
	}
#define BY(role, kind, at, of)   CHECKED(role, kind, is_same, at, of)
#define OURS(role, kind, at, of) CHECKED(role, kind, is_ours, at, of)
#define FREE(role, kind)         RANGE(role, kind, kind)

/* What several rows share. */
#define NO_SERVER     BY(ROLE_ERROR, 402, 1, 0)
#define NO_PRIVILEGES FREE(ROLE_ERROR, 481), FREE(ROLE_ERROR, 723)
/* ngIRCd says 401 of a channel too */
#define NO_CHANNEL(of) \
	BY(ROLE_ERROR, 401, 1, of), BY(ROLE_ERROR, 403, 1, of), BY(ROLE_ERROR, 442, 1, of)
#define NO_OPERATOR(of) BY(ROLE_ERROR, 482, 1, of), BY(ROLE_ERROR, 499, 1, of)
#define LISTED(item, end)                                                                    \
	BY(ROLE_PART, item, 1, 0), BY(ROLE_CLOSE, end, 1, 0), NO_CHANNEL(0), NO_OPERATOR(0), \
		FREE(ROLE_ERROR, 472), BY(ROLE_ERROR, 696, 1, 0)
#define JOIN_ERRORS                                                                         \
	BY(ROLE_ERROR, 403, 1, 0), BY(ROLE_ERROR, 405, 1, 0), BY(ROLE_ERROR, 437, 1, 0),    \
		BY(ROLE_ERROR, 448, 1, 0), RANGE_BY(ROLE_ERROR, 470, 471, 1, 0),            \
		RANGE_BY(ROLE_ERROR, 473, 477, 1, 0), RANGE_BY(ROLE_ERROR, 479, 480, 1, 0), \
		RANGE_BY(ROLE_ERROR, 489, 490, 1, 0), BY(ROLE_ERROR, 495, 1, 0),            \
		BY(ROLE_ERROR, 500, 1, 0), RANGE_BY(ROLE_ERROR, 519, 520, 1, 0),            \
		BY(ROLE_ERROR, 926, 1, 0)
#define WHO_ERRORS              BY(ROLE_NOTED, 401, 1, 0), BY(ROLE_ERROR, 403, 1, 0), RANGE(ROLE_ERROR, 522, 523)
#define WHOIS_PART(first, last) RANGE_BY(ROLE_PART, first, last, 1, -1)
#define WHOWAS_PART(kind)       BY(ROLE_PART, kind, 1, 0)

/* command, which of its forms, the letter for that, the parameter that may be a list of which each
 * element is answered by itself, answers */
#define REPLY_TABLE(X)                                                                             \
	X("ACCEPT", has_letter, '*', NO_PARAM, FREE(ROLE_PART, 281), FREE(ROLE_CLOSE, 282))        \
	X("ADMIN", NULL, 0, NO_PARAM, RANGE(ROLE_PART, 256, 258), FREE(ROLE_END, 259),             \
		FREE(ROLE_ERROR, 423), NO_SERVER)                                                  \
	X("AWAY", NULL, 0, NO_PARAM, RANGE(ROLE_END, 305, 306), FREE(ROLE_ERROR, 429))             \
	X("CHATHISTORY", NULL, 0, NO_PARAM,                                                        \
		CHECKED(ROLE_OPEN, EVENT_BATCH, is_history, 0, NO_PARAM))                          \
	X("HELP", NULL, 0, NO_PARAM, RANGE(ROLE_PART, 704, 705), FREE(ROLE_END, 706),              \
		FREE(ROLE_ERROR, 524))                                                             \
	X("HELPOP", NULL, 0, NO_PARAM, RANGE(ROLE_PART, 704, 705), FREE(ROLE_END, 706),            \
		FREE(ROLE_ERROR, 524))                                                             \
	X("INFO", NULL, 0, NO_PARAM, FREE(ROLE_PART, 371), FREE(ROLE_PART, 373),                   \
		FREE(ROLE_CLOSE, 374), NO_SERVER)                                                  \
	X("INVITE", has_none, 0, NO_PARAM, FREE(ROLE_PART, 336), FREE(ROLE_PART, 346),             \
		FREE(ROLE_CLOSE, 337), FREE(ROLE_CLOSE, 347))                                      \
	X("INVITE", NULL, 0, NO_PARAM, BY(ROLE_PART, 301, 1, 0), BY(ROLE_END, 341, 1, 0),          \
		BY(ROLE_ERROR, 401, 1, 0), BY(ROLE_ERROR, 443, 1, 0), NO_CHANNEL(1),               \
		NO_OPERATOR(1), BY(ROLE_ERROR, 518, 1, 1))                                         \
	X("ISON", NULL, 0, NO_PARAM, FREE(ROLE_END, 303))                                          \
	X("JOIN", has_no_names, 0, 0, OURS(ROLE_END, EVENT_JOIN, 0, 0), JOIN_ERRORS)               \
	X("JOIN", NULL, 0, 0, OURS(ROLE_PART, EVENT_JOIN, 0, 0),                                   \
		RANGE_BY(ROLE_PART, 331, 333, 1, 0), BY(ROLE_PART, 353, -2, 0),                    \
		BY(ROLE_CLOSE, 366, 1, 0), JOIN_ERRORS)                                            \
	X("KICK", NULL, 0, 1, CHECKED(ROLE_END, EVENT_KICK, is_our_kick, 1, 1),                    \
		BY(ROLE_ERROR, 401, 1, 1), BY(ROLE_ERROR, 441, 1, 1), NO_CHANNEL(0),               \
		NO_OPERATOR(0), FREE(ROLE_ERROR, 484), FREE(ROLE_ERROR, 485),                      \
		FREE(ROLE_ERROR, 972))                                                             \
	X("KNOCK", NULL, 0, NO_PARAM, BY(ROLE_END, 711, 1, 0), NO_CHANNEL(0),                      \
		BY(ROLE_ERROR, 471, 1, 0), BY(ROLE_ERROR, 473, 1, 0), FREE(ROLE_ERROR, 480),       \
		RANGE_BY(ROLE_ERROR, 712, 714, 1, 0), FREE(ROLE_ERROR, 715))                       \
	X("LINKS", NULL, 0, NO_PARAM, FREE(ROLE_PART, 364), FREE(ROLE_CLOSE, 365), NO_SERVER)      \
	X("LIST", NULL, 0, NO_PARAM, RANGE(ROLE_PART, 321, 322), FREE(ROLE_CLOSE, 323),            \
		FREE(ROLE_ERROR, 521), NO_SERVER)                                                  \
	X("LUSERS", NULL, 0, NO_PARAM, RANGE(ROLE_LINGER, 250, 255), RANGE(ROLE_LINGER, 265, 266), \
		NO_SERVER)                                                                         \
	X("MAP", NULL, 0, NO_PARAM, FREE(ROLE_PART, 6), RANGE(ROLE_PART, 15, 16),                  \
		FREE(ROLE_PART, 18), FREE(ROLE_CLOSE, 7), FREE(ROLE_CLOSE, 17), NO_PRIVILEGES)     \
	X("MODE", is_list_query, 'b', NO_PARAM, LISTED(367, 368))                                  \
	X("MODE", is_list_query, 'e', NO_PARAM, LISTED(348, 349))                                  \
	X("MODE", is_list_query, 'I', NO_PARAM, LISTED(346, 347))                                  \
	X("MODE", is_list_query, 'X', NO_PARAM, LISTED(954, 953))                                  \
	X("MODE", is_list_query, 'g', NO_PARAM, LISTED(941, 940))                                  \
	X("MODE", is_list_query, 'q', NO_PARAM, LISTED(728, 729))                                  \
	X("MODE", is_list_query, 'w', NO_PARAM, LISTED(910, 911))                                  \
	X("MODE", is_channel_query, 0, NO_PARAM, BY(ROLE_LINGER, 324, 1, 0),                       \
		BY(ROLE_END, 329, 1, 0), NO_CHANNEL(0), NO_OPERATOR(0))                            \
	X("MODE", is_of_channel, 0, NO_PARAM, OURS(ROLE_END, EVENT_CHANNELMODE, 0, 0),             \
		FREE(ROLE_ERROR, 401), NO_CHANNEL(0), NO_OPERATOR(0), BY(ROLE_ERROR, 441, 2, 0),   \
		FREE(ROLE_ERROR, 460), BY(ROLE_ERROR, 467, 1, 0), FREE(ROLE_ERROR, 472),           \
		BY(ROLE_ERROR, 477, 1, 0), BY(ROLE_ERROR, 478, 1, 0), FREE(ROLE_ERROR, 501),       \
		RANGE_BY(ROLE_ERROR, 696, 698, 1, 0), BY(ROLE_ERROR, 742, 1, 0),                   \
		FREE(ROLE_ERROR, 974))                                                             \
	X("MODE", has_one, 0, NO_PARAM, FREE(ROLE_END, 221), BY(ROLE_ERROR, 401, 1, 0),            \
		BY(ROLE_ERROR, 403, 1, 0), FREE(ROLE_ERROR, 502))                                  \
	X("MODE", NULL, 0, NO_PARAM, OURS(ROLE_END, EVENT_USERMODE, 0, 0),                         \
		BY(ROLE_ERROR, 401, 1, 0), BY(ROLE_ERROR, 403, 1, 0), RANGE(ROLE_ERROR, 501, 502), \
		NO_PRIVILEGES)                                                                     \
	X("MONITOR", has_letter, '+', NO_PARAM, CHECKED(ROLE_LINGER, 730, is_monitored, -1, 1),    \
		CHECKED(ROLE_LINGER, 731, is_monitored, -1, 1), FREE(ROLE_ERROR, 734))             \
	X("MONITOR", has_letter, 'L', NO_PARAM, FREE(ROLE_PART, 732), FREE(ROLE_CLOSE, 733))       \
	X("MONITOR", has_letter, 'S', NO_PARAM, RANGE(ROLE_LINGER, 730, 731))                      \
	X("MOTD", NULL, 0, NO_PARAM, FREE(ROLE_PART, 372), FREE(ROLE_PART, 375),                   \
		FREE(ROLE_PART, 377), FREE(ROLE_CLOSE, 376), FREE(ROLE_ERROR, 422), NO_SERVER)     \
	X("NAMES", NULL, 0, 0, BY(ROLE_PART, 353, -2, 0), BY(ROLE_CLOSE, 366, 1, 0),               \
		RANGE_BY(ROLE_ERROR, 401, 403, 1, 0), FREE(ROLE_ERROR, 407))                       \
	X("NICK", NULL, 0, NO_PARAM, CHECKED(ROLE_END, EVENT_NICK, is_our_nick, 0, 0),             \
		FREE(ROLE_ERROR, 431), RANGE_BY(ROLE_ERROR, 432, 433, 1, 0),                       \
		RANGE_BY(ROLE_ERROR, 435, 437, 1, 0), FREE(ROLE_ERROR, 438),                       \
		FREE(ROLE_ERROR, 447), FREE(ROLE_ERROR, 484))                                      \
	X("OPER", NULL, 0, NO_PARAM, FREE(ROLE_END, 381), FREE(ROLE_ERROR, 464),                   \
		FREE(ROLE_ERROR, 491))                                                             \
	X("PART", NULL, 0, 0, OURS(ROLE_END, EVENT_PART, 0, 0), NO_CHANNEL(0))                     \
	X("PING", NULL, 0, NO_PARAM, CHECKED(ROLE_END, EVENT_PONG, is_pong, -1, 0), NO_SERVER,     \
		FREE(ROLE_ERROR, 409))                                                             \
	X("REDACT", NULL, 0, NO_PARAM, OURS(ROLE_END, EVENT_REDACT, 1, 1))                         \
	X("REHASH", NULL, 0, NO_PARAM, FREE(ROLE_END, 382), NO_PRIVILEGES)                         \
	X("RENAME", NULL, 0, NO_PARAM, OURS(ROLE_END, EVENT_RENAME, 0, 0), NO_CHANNEL(0),          \
		NO_OPERATOR(0))                                                                    \
	X("SERVLIST", NULL, 0, NO_PARAM, FREE(ROLE_PART, 234), FREE(ROLE_CLOSE, 235))              \
	X("SETNAME", NULL, 0, NO_PARAM, OURS(ROLE_END, EVENT_SETNAME, 0, NO_PARAM))                \
	X("SILENCE", has_none, 0, NO_PARAM, FREE(ROLE_PART, 271), FREE(ROLE_CLOSE, 272))           \
	X("STATS", NULL, 0, NO_PARAM, RANGE(ROLE_PART, 210, 218), FREE(ROLE_PART, 220),            \
		RANGE(ROLE_PART, 222, 250), BY(ROLE_CLOSE, 219, 1, 0), BY(ROLE_ERROR, 402, 1, 1),  \
		NO_PRIVILEGES)                                                                     \
	X("TIME", NULL, 0, NO_PARAM, FREE(ROLE_END, 391), NO_SERVER)                               \
	X("TOPIC", has_one, 0, NO_PARAM, BY(ROLE_END, 331, 1, 0), BY(ROLE_LINGER, 332, 1, 0),      \
		BY(ROLE_END, 333, 1, 0), NO_CHANNEL(0), NO_OPERATOR(0))                            \
	X("TOPIC", NULL, 0, NO_PARAM, OURS(ROLE_END, EVENT_TOPIC, 0, 0), NO_CHANNEL(0),            \
		NO_OPERATOR(0), BY(ROLE_ERROR, 460, 1, 0), BY(ROLE_ERROR, 477, 1, 0),              \
		BY(ROLE_ERROR, 744, 1, 0))                                                         \
	X("TRACE", NULL, 0, NO_PARAM, RANGE(ROLE_PART, 200, 209), FREE(ROLE_PART, 261),            \
		FREE(ROLE_CLOSE, 262), NO_SERVER, NO_PRIVILEGES)                                   \
	X("USERHOST", NULL, 0, NO_PARAM, FREE(ROLE_END, 302))                                      \
	X("USERIP", NULL, 0, NO_PARAM, FREE(ROLE_END, 340))                                        \
	X("USERS", NULL, 0, NO_PARAM, RANGE(ROLE_PART, 392, 393), FREE(ROLE_PART, 395),            \
		FREE(ROLE_CLOSE, 394), FREE(ROLE_ERROR, 424), FREE(ROLE_ERROR, 446), NO_SERVER)    \
	X("VERSION", NULL, 0, NO_PARAM, FREE(ROLE_END, 351), NO_SERVER)                            \
	X("WHO", is_whox, 0, NO_PARAM, CHECKED(ROLE_PART, 354, has_token, 1, 1),                   \
		CHECKED(ROLE_CLOSE, 315, is_mask, 1, 0), WHO_ERRORS)                               \
	X("WHO", NULL, 0, NO_PARAM, CHECKED(ROLE_PART, 352, is_in_channel, 1, 0),                  \
		CHECKED(ROLE_CLOSE, 315, is_mask, 1, 0), WHO_ERRORS)                               \
	X("WHOIS", NULL, 0, -1, WHOIS_PART(275, 276), WHOIS_PART(301, 301), WHOIS_PART(307, 313),  \
		WHOIS_PART(316, 317), WHOIS_PART(319, 320), WHOIS_PART(330, 330),                  \
		WHOIS_PART(335, 335), WHOIS_PART(337, 338), WHOIS_PART(343, 344),                  \
		WHOIS_PART(350, 350), WHOIS_PART(378, 379), WHOIS_PART(615, 615),                  \
		WHOIS_PART(671, 671), WHOIS_PART(690, 690), WHOIS_PART(760, 760),                  \
		BY(ROLE_CLOSE, 318, 1, -1), BY(ROLE_NOTED, 401, 1, -1), NO_SERVER,                 \
		FREE(ROLE_ERROR, 431))                                                             \
	X("WHOWAS", NULL, 0, 0, WHOWAS_PART(312), WHOWAS_PART(314), WHOWAS_PART(330),              \
		WHOWAS_PART(338), WHOWAS_PART(360), RANGE_BY(ROLE_PART, 378, 379, 1, 0),           \
		WHOWAS_PART(671), BY(ROLE_CLOSE, 369, 1, 0), BY(ROLE_NOTED, 406, 1, 0),            \
		BY(ROLE_ERROR, 402, 1, 2), FREE(ROLE_ERROR, 431))

/* What may answer any command. */
#define COMMON_ANSWERS                                                                    \
	CHECKED(ROLE_ERROR, 263, is_command, 1, NO_PARAM),                                \
		CHECKED(ROLE_ERROR, 400, is_command, 1, NO_PARAM),                        \
		CHECKED(ROLE_ERROR, 416, is_command, 1, NO_PARAM),                        \
		CHECKED(ROLE_ERROR, 421, is_command, 1, NO_PARAM), FREE(ROLE_ERROR, 451), \
		CHECKED(ROLE_ERROR, 461, is_command, 1, NO_PARAM),                        \
		CHECKED(ROLE_ERROR, EVENT_FAIL, is_command, 0, NO_PARAM)

#define SET(field)                           \
	{                                    \
		"" field, "" field, FACT_SET \
	}
#define SET_AS(field, as)                 \
	{                                 \
		"" field, "" as, FACT_SET \
	}
#define FLAG(fact)                       \
	{                                \
		NULL, "" fact, FACT_FLAG \
	}
#define APPEND(field, as)                    \
	{                                    \
		"" field, "" as, FACT_APPEND \
	}
#define COMMAS(field, as)                    \
	{                                    \
		"" field, "" as, FACT_COMMAS \
	}
#define ROW(list, field)                    \
	{                                   \
		"" field, "" list, FACT_ROW \
	}
#define TEXT_LINE APPEND("message", "lines")
#define MASK      ROW("masks", "mask"), ROW("masks", "setter"), ROW("masks", "set_at")
#define SAID      SET("msgid")

/* kind, facts */
#define FACT_TABLE(X)                                                                          \
	X(221, SET("modes"))                                                                   \
	X(252, SET_AS("count", "operator_count"))                                              \
	X(253, SET_AS("count", "unknown_count"))                                               \
	X(254, SET_AS("count", "channel_count"))                                               \
	X(256, TEXT_LINE)                                                                      \
	X(257, TEXT_LINE)                                                                      \
	X(258, TEXT_LINE)                                                                      \
	X(259, TEXT_LINE)                                                                      \
	X(265, SET_AS("count", "local_count"), SET_AS("max", "local_max"))                     \
	X(266, SET_AS("count", "global_count"), SET_AS("max", "global_max"))                   \
	X(276, SET_AS("message", "certfp"))                                                    \
	X(301, SET_AS("message", "away"))                                                      \
	X(302, APPEND("replies", "replies"))                                                   \
	X(303, APPEND("nicks", "nicks"))                                                       \
	X(307, FLAG("registered"))                                                             \
	X(311, SET("nick"), SET("user"), SET("host"), SET("real_name"))                        \
	X(312, SET("server"), SET("server_info"))                                              \
	X(313, FLAG("oper"))                                                                   \
	X(314, SET("nick"), SET("user"), SET("host"), SET("real_name"), ROW("users", "nick"),  \
		ROW("users", "user"), ROW("users", "host"), ROW("users", "real_name"))         \
	X(317, SET("idle"), SET("signon"))                                                     \
	X(319, APPEND("channels", "channels"))                                                 \
	X(320, APPEND("message", "special"))                                                   \
	X(322, ROW("channels", "channel"), ROW("channels", "users"), ROW("channels", "topic")) \
	X(324, SET("channel"), SET("modes"), APPEND("params", "params"))                       \
	X(329, SET("created"))                                                                 \
	X(330, SET("account"))                                                                 \
	X(331, SET("channel"))                                                                 \
	X(332, SET("channel"), SET_AS("message", "topic"))                                     \
	X(333, SET("setter"), SET("set_at"))                                                   \
	X(335, FLAG("bot"))                                                                    \
	X(338, SET("ip"))                                                                      \
	X(340, APPEND("replies", "replies"))                                                   \
	X(341, SET("nick"), SET("channel"))                                                    \
	X(344, SET_AS("message", "country"))                                                   \
	X(346, MASK)                                                                           \
	X(348, MASK)                                                                           \
	X(350, SET_AS("message", "gateway"))                                                   \
	X(351, SET("version"), SET("server"))                                                  \
	X(352, ROW("users", "channel"), ROW("users", "user"), ROW("users", "host"),            \
		ROW("users", "server"), ROW("users", "nick"), ROW("users", "hg_code"),         \
		ROW("users", "hopcount"), ROW("users", "real_name"))                           \
	X(353, SET("channel"), APPEND("users", "users"))                                       \
	X(354, ROW("users", "params"))                                                         \
	X(364, ROW("links", "mask"), ROW("links", "server"), ROW("links", "message"))          \
	X(367, MASK)                                                                           \
	X(371, TEXT_LINE)                                                                      \
	X(372, TEXT_LINE)                                                                      \
	X(378, SET_AS("message", "connected_from"))                                            \
	X(391, SET("server"), SET_AS("message", "time"))                                       \
	X(671, FLAG("secure"))                                                                 \
	X(704, TEXT_LINE)                                                                      \
	X(705, TEXT_LINE)                                                                      \
	X(706, TEXT_LINE)                                                                      \
	X(728, MASK)                                                                           \
	X(730, COMMAS("targets", "online"))                                                    \
	X(731, COMMAS("targets", "offline"))                                                   \
	X(732, COMMAS("targets", "targets"))                                                   \
	X(EVENT_PONG, SET("message"))                                                          \
	X(EVENT_PRIVMSG, SAID)                                                                 \
	X(EVENT_NOTICE, SAID)                                                                  \
	X(EVENT_TAGMSG, SAID)                                                                  \
	X(EVENT_CTCP, SAID)                                                                    \
	X(EVENT_CTCP_REPLY, SAID)                                                              \
	X(EVENT_ACTION, SAID)                                                                  \
	X(EVENT_JOIN, SET("channel"))                                                          \
	X(EVENT_PART, SET("channel"))                                                          \
	X(EVENT_KICK, SET("channel"), SET("target"))                                           \
	X(EVENT_NICK, SET_AS("new_nick", "nick"))                                              \
	X(EVENT_TOPIC, SET("channel"), SET_AS("message", "topic"))                             \
	X(EVENT_CHANNELMODE, SET("channel"), SET("modes"), APPEND("params", "params"),         \
		SET("changes"))                                                                \
	X(EVENT_USERMODE, SET("modes"))                                                        \
	X(EVENT_RENAME, SET("channel"), SET("new_channel"))

#endif
