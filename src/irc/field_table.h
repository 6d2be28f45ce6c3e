/*
 * field_table: the kinds of events and the fields of each.
 *
 * Rows for fields.c, which says what FIELD and its short forms are: a name, and the parameter that
 * it is read from.
 */
#ifndef EBB_IRC_FIELD_TABLE_H
#define EBB_IRC_FIELD_TABLE_H

/* What several rows share. */
#define TARGET_CHANNEL FIELD("channel", read_channel, 0), FIELD("statusmsg", read_statusmsg, 0)
#define CTCP           FIELD("ctcp", read_ctcp, 1), FIELD("message", read_ctcp_text, 1)
#define STANDARD_REPLY                                                                  \
	PARAM("target_command", 0), PARAM("code", 1), FIELD("context", read_middle, 2), \
		LAST("message")
#define INFO          FIELD("info", read_middle, 1)
#define ABOUT_NICK    PARAM("nick", 1)
#define ABOUT_CHANNEL PARAM("channel", 1)
#define LISTED        ABOUT_CHANNEL, PARAM("mask", 2), PARAM("setter", 3), INT("set_at", 4)
/* where documents differ on what the number means */
#define IF_CHANNEL FIELD("channel", read_channel, 1)

/* kind, name, parameters that the line must have, whether it must have a source, own fields */
#define KIND_TABLE(X)                                                                              \
	X(EVENT_ANY, "*", 0, false, NO_FIELDS)                                                     \
	X(EVENT_UNKNOWN, "unknown", 0, false, NO_FIELDS)                                           \
	X(EVENT_PING, "ping", 1, false, LAST("message"))                                           \
	X(EVENT_PONG, "pong", 1, false, LAST("message"))                                           \
	X(EVENT_ERROR, "error", 0, false, LAST("message"))                                         \
	X(EVENT_PRIVMSG, "privmsg", 2, true, TARGET, TARGET_CHANNEL, PARAM("message", 1))          \
	X(EVENT_NOTICE, "notice", 2, false, TARGET, TARGET_CHANNEL, PARAM("message", 1))           \
	X(EVENT_TAGMSG, "tagmsg", 1, true, TARGET, TARGET_CHANNEL, PARAM("message", 1))            \
	X(EVENT_CTCP, "ctcp", 2, true, TARGET, TARGET_CHANNEL, CTCP)                               \
	X(EVENT_CTCP_REPLY, "ctcp_reply", 2, false, TARGET, TARGET_CHANNEL, CTCP)                  \
	X(EVENT_ACTION, "action", 2, true, TARGET, TARGET_CHANNEL, CTCP)                           \
	X(EVENT_JOIN, "join", 1, true, PARAM("channel", 0),                                        \
		FIELD("account", read_join_account, 1), PARAM("real_name", 2))                     \
	X(EVENT_PART, "part", 1, true, PARAM("channel", 0),                                        \
		FIELD("message", read_param_or_empty, 1))                                          \
	X(EVENT_QUIT, "quit", 0, true, FIELD("message", read_param_or_empty, 0),                   \
		OWNER("channels"))                                                                 \
	X(EVENT_KICK, "kick", 2, true, PARAM("channel", 0), PARAM("target", 1),                    \
		PARAM("message", 2))                                                               \
	X(EVENT_KILL, "kill", 1, true, TARGET, PARAM("message", 1))                                \
	X(EVENT_NICK, "nick", 1, true, PARAM("new_nick", 0))                                       \
	X(EVENT_INVITE, "invite", 2, true, TARGET, PARAM("channel", 1))                            \
	X(EVENT_TOPIC, "topic", 1, true, PARAM("channel", 0),                                      \
		FIELD("message", read_param_or_empty, 1))                                          \
	X(EVENT_CHANNELMODE, "channelmode", 2, true, PARAM("channel", 0), PARAM("modes", 1),       \
		FIELD("params", read_rest, 2), FIELD("changes", read_changes, 1))                  \
	X(EVENT_USERMODE, "usermode", 2, true, PARAM("nick", 0), PARAM("modes", 1))                \
	X(EVENT_ACCOUNT, "account", 1, true, FIELD("account", read_param_unless_star, 0))          \
	X(EVENT_AWAY, "away", 0, true, FIELD("message", read_param_unless_empty, 0))               \
	X(EVENT_CHGHOST, "chghost", 2, true, PARAM("new_user", 0), PARAM("new_host", 1))           \
	X(EVENT_SETNAME, "setname", 1, true, PARAM("real_name", 0))                                \
	X(EVENT_WALLOPS, "wallops", 1, true, LAST("message"))                                      \
	X(EVENT_FAIL, "fail", 3, false, STANDARD_REPLY)                                            \
	X(EVENT_WARN, "warn", 3, false, STANDARD_REPLY)                                            \
	X(EVENT_NOTE, "note", 3, false, STANDARD_REPLY)                                            \
	X(EVENT_BATCH, "batch", 1, false, FIELD("reference", read_reference, 0), PARAM("type", 1), \
		FIELD("batch_params", read_batch_params, 2), OWNER("messages"))                    \
	X(EVENT_ACK, "ack", 0, false, NO_FIELDS)                                                   \
	X(EVENT_REDACT, "redact", 2, true, TARGET, TARGET_CHANNEL, PARAM("target_msgid", 1),       \
		PARAM("message", 2))                                                               \
	X(EVENT_RENAME, "rename", 2, true, PARAM("channel", 0), PARAM("new_channel", 1),           \
		PARAM("message", 2))                                                               \
	X(EVENT_CAP, "cap", 2, false, TARGET, PARAM("subcommand", 1), LAST_WORDS("caps"))          \
	X(EVENT_AUTHENTICATE, "authenticate", 1, false, PARAM("data", 0))                          \
	X(EVENT_CLIENT_CONNECT, "client_connect", 0, false, OWNER("host"), OWNER("port"))          \
	X(EVENT_CLIENT_DISCONNECT, "client_disconnect", 0, false, OWNER("host"), OWNER("port"),    \
		OWNER("reason"), OWNER("kind"), OWNER("requested"), OWNER("uptime"))               \
	X(EVENT_SCRIPT_LOAD, "script_load", 0, false, OWNER("script"), OWNER("reload"))            \
	X(EVENT_SCRIPT_UNLOAD, "script_unload", 0, false, OWNER("script"), OWNER("reason"))        \
	X(EVENT_SCRIPT_ERROR, "script_error", 0, false, OWNER("script"), OWNER("doing"),           \
		OWNER("message"), OWNER("traceback"))

/* number, fields beyond target and message */
#define NUMERIC_FIELDS_TABLE(X)                                                             \
	X(4, INFO)                                                                          \
	X(5, INFO)                                                                          \
	X(10, PARAM("server", 1), INT("port", 2))                                           \
	X(42, PARAM("id", 1))                                                               \
	X(43, ABOUT_NICK)                                                                   \
	X(219, PARAM("query", 1))                                                           \
	X(221, PARAM("modes", 1))                                                           \
	X(252, INT("count", 1))                                                             \
	X(253, INT("count", 1))                                                             \
	X(254, INT("count", 1))                                                             \
	X(263, PARAM("target_command", 1))                                                  \
	X(265, INT("count", 1), INT("max", 2))                                              \
	X(266, INT("count", 1), INT("max", 2))                                              \
	X(271, ABOUT_NICK, PARAM("mask", 2))                                                \
	X(276, ABOUT_NICK)                                                                  \
	X(301, ABOUT_NICK)                                                                  \
	X(302, LAST_WORDS("replies"))                                                       \
	X(303, LAST_WORDS("nicks"))                                                         \
	X(307, ABOUT_NICK)                                                                  \
	X(310, ABOUT_NICK)                                                                  \
	X(311, ABOUT_NICK, PARAM("user", 2), PARAM("host", 3), PARAM("real_name", 5))       \
	X(312, ABOUT_NICK, PARAM("server", 2), PARAM("server_info", 3))                     \
	X(313, ABOUT_NICK)                                                                  \
	X(314, ABOUT_NICK, PARAM("user", 2), PARAM("host", 3), PARAM("real_name", 5))       \
	X(315, PARAM("name", 1))                                                            \
	X(316, ABOUT_NICK)                                                                  \
	X(317, ABOUT_NICK, INT("idle", 2), INT("signon", 3))                                \
	X(318, ABOUT_NICK)                                                                  \
	X(319, ABOUT_NICK, WORDS("channels", 2))                                            \
	X(320, ABOUT_NICK)                                                                  \
	X(322, ABOUT_CHANNEL, INT("users", 2), PARAM("topic", 3))                           \
	X(324, ABOUT_CHANNEL, PARAM("modes", 2), FIELD("params", read_rest, 3))             \
	X(325, ABOUT_CHANNEL)                                                               \
	X(328, ABOUT_CHANNEL, PARAM("url", 2))                                              \
	X(329, ABOUT_CHANNEL, INT("created", 2))                                            \
	X(330, ABOUT_NICK, PARAM("account", 2))                                             \
	X(331, ABOUT_CHANNEL)                                                               \
	X(332, ABOUT_CHANNEL)                                                               \
	X(333, ABOUT_CHANNEL, PARAM("setter", 2), INT("set_at", 3))                         \
	X(335, ABOUT_NICK)                                                                  \
	X(338, ABOUT_NICK, FIELD("ip", read_before_last, 2))                                \
	X(340, LAST_WORDS("replies"))                                                       \
	X(341, ABOUT_NICK, PARAM("channel", 2))                                             \
	X(342, ABOUT_NICK)                                                                  \
	X(344, ABOUT_NICK, FIELD("country", read_before_last, 2))                           \
	X(346, LISTED)                                                                      \
	X(347, ABOUT_CHANNEL)                                                               \
	X(348, LISTED)                                                                      \
	X(349, ABOUT_CHANNEL)                                                               \
	X(350, ABOUT_NICK)                                                                  \
	X(351, PARAM("version", 1), PARAM("server", 2))                                     \
	X(352, ABOUT_CHANNEL, PARAM("user", 2), PARAM("host", 3), PARAM("server", 4),       \
		PARAM("nick", 5), PARAM("hg_code", 6), FIELD("hopcount", read_hopcount, 7), \
		FIELD("real_name", read_after_hopcount, 7))                                 \
	X(353, FIELD("channel_type", read_from_end, 3), FIELD("channel", read_from_end, 2), \
		LAST_WORDS("users"))                                                        \
	X(360, ABOUT_NICK)                                                                  \
	X(364, PARAM("mask", 1), PARAM("server", 2), FIELD("hopcount", read_hopcount, 3),   \
		FIELD("server_info", read_after_hopcount, 3))                               \
	X(365, PARAM("mask", 1))                                                            \
	X(366, ABOUT_CHANNEL)                                                               \
	X(367, LISTED)                                                                      \
	X(368, ABOUT_CHANNEL)                                                               \
	X(369, ABOUT_NICK)                                                                  \
	X(378, ABOUT_NICK)                                                                  \
	X(379, ABOUT_NICK)                                                                  \
	X(382, PARAM("file", 1))                                                            \
	X(391, PARAM("server", 1))                                                          \
	X(396, PARAM("host", 1))                                                            \
	X(401, ABOUT_NICK)                                                                  \
	X(402, PARAM("server", 1))                                                          \
	X(403, ABOUT_CHANNEL)                                                               \
	X(404, ABOUT_CHANNEL)                                                               \
	X(405, ABOUT_CHANNEL)                                                               \
	X(406, ABOUT_NICK)                                                                  \
	X(421, PARAM("unknown_command", 1))                                                 \
	X(432, ABOUT_NICK)                                                                  \
	X(433, ABOUT_NICK)                                                                  \
	X(434, ABOUT_NICK)                                                                  \
	X(435, ABOUT_NICK, FIELD("channel", read_channel, 2))                               \
	X(436, ABOUT_NICK)                                                                  \
	X(437, FIELD("nick", read_nick, 1), IF_CHANNEL)                                     \
	X(438, ABOUT_NICK)                                                                  \
	X(441, ABOUT_NICK, PARAM("channel", 2))                                             \
	X(442, ABOUT_CHANNEL)                                                               \
	X(443, ABOUT_NICK, PARAM("channel", 2))                                             \
	X(444, ABOUT_NICK)                                                                  \
	X(448, ABOUT_CHANNEL)                                                               \
	X(457, ABOUT_NICK)                                                                  \
	X(458, ABOUT_NICK)                                                                  \
	X(461, PARAM("target_command", 1))                                                  \
	X(467, ABOUT_CHANNEL)                                                               \
	X(470, ABOUT_CHANNEL, PARAM("new_channel", 2))                                      \
	X(471, ABOUT_CHANNEL)                                                               \
	X(472, PARAM("mode", 1))                                                            \
	X(473, ABOUT_CHANNEL)                                                               \
	X(474, ABOUT_CHANNEL)                                                               \
	X(475, ABOUT_CHANNEL)                                                               \
	X(476, ABOUT_CHANNEL)                                                               \
	X(477, ABOUT_CHANNEL)                                                               \
	X(478, ABOUT_CHANNEL, PARAM("mode", 2))                                             \
	X(479, ABOUT_CHANNEL)                                                               \
	X(480, IF_CHANNEL)                                                                  \
	X(482, ABOUT_CHANNEL)                                                               \
	X(485, IF_CHANNEL)                                                                  \
	X(488, IF_CHANNEL)                                                                  \
	X(489, IF_CHANNEL)                                                                  \
	X(490, IF_CHANNEL)                                                                  \
	X(494, IF_CHANNEL)                                                                  \
	X(495, IF_CHANNEL)                                                                  \
	X(499, IF_CHANNEL)                                                                  \
	X(500, IF_CHANNEL)                                                                  \
	X(501, FIELD("mode", read_before_last, 1))                                          \
	X(519, IF_CHANNEL)                                                                  \
	X(520, IF_CHANNEL)                                                                  \
	X(524, PARAM("subject", 1))                                                         \
	X(525, ABOUT_CHANNEL)                                                               \
	X(531, ABOUT_NICK)                                                                  \
	X(671, ABOUT_NICK)                                                                  \
	X(690, ABOUT_NICK)                                                                  \
	X(696, IF_CHANNEL, PARAM("mode", 2))                                                \
	X(697, IF_CHANNEL, PARAM("mask", 2), PARAM("mode", 3))                              \
	X(698, IF_CHANNEL, PARAM("mask", 2), PARAM("mode", 3))                              \
	X(704, PARAM("subject", 1))                                                         \
	X(705, PARAM("subject", 1))                                                         \
	X(706, PARAM("subject", 1))                                                         \
	X(710, ABOUT_CHANNEL, PARAM("mask", 2))                                             \
	X(711, ABOUT_CHANNEL)                                                               \
	X(712, ABOUT_CHANNEL)                                                               \
	X(713, ABOUT_CHANNEL)                                                               \
	X(714, ABOUT_CHANNEL)                                                               \
	X(716, ABOUT_NICK)                                                                  \
	X(717, ABOUT_NICK)                                                                  \
	X(718, ABOUT_NICK, PARAM("mask", 2))                                                \
	X(723, PARAM("privilege", 1))                                                       \
	X(728, ABOUT_CHANNEL, PARAM("mode", 2), PARAM("mask", 3), PARAM("setter", 4),       \
		INT("set_at", 5))                                                           \
	X(729, ABOUT_CHANNEL, PARAM("mode", 2))                                             \
	X(730, COMMAS("targets", 1))                                                        \
	X(731, COMMAS("targets", 1))                                                        \
	X(732, COMMAS("targets", 1))                                                        \
	X(734, INT("limit", 1), COMMAS("targets", 2))                                       \
	X(742, ABOUT_CHANNEL, PARAM("mode", 2))                                             \
	X(743, ABOUT_CHANNEL)                                                               \
	X(744, ABOUT_CHANNEL)                                                               \
	X(900, PARAM("mask", 1), PARAM("account", 2))                                       \
	X(901, PARAM("mask", 1))                                                            \
	X(908, COMMAS("mechanisms", 1))

#endif
