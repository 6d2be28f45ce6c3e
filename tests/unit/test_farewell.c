#include "support/check.h"
#include "support/talk.h"

#include <stdio.h>
#include <string.h>

/*
 * The words of real servers, and the kind that each must give: before the server has welcomed us,
 * and after it; NULL where it does not say so then. The words are always told as they came.
 */
static const struct farewell_row {
	const char *line; /* the name, too */
	const char *before, *after;
} rows[] = {
  /* UnrealIRCd */
	{"ERROR :Closing Link: [192.0.2.1] (Throttled: Reconnecting too fast - Email a@b.example)",
         "throttled",																							NULL       },
	{"ERROR :Closing Link: ebb[192.0.2.1] (You are not welcome on this server: Z-Lined: spam. Email a@b.example)",
         "banned",																							   "banned"   },
	{"ERROR :Closing Link: ebb[192.0.2.1] (User has been banned from the network (G-Line))",
         "banned",																							   "banned"   },
	{":s 465 ebb :You are not welcome on this server. K-Lined: too fast a talker",												       "banned",
         "banned"																								       },
	{"ERROR :Closing Link: ebb[192.0.2.1] (Too many connections from your IP)",													  "throttled",
         NULL																									   },
	{"ERROR :Closing Link: ebb[h.example] (Excess Flood)",															       "throttled",    "throttled"},
	{"ERROR :Closing Link: ebb[h.example] (Ping timeout: 240 seconds)",														  "ping",         "ping"     },
	{"ERROR :Closing Link: [192.0.2.1] (Registration Timeout)",															  "timeout",      NULL       },
	{"ERROR :Closing Link: [192.0.2.1] (Password mismatch)",															     "registration", NULL       },
	{"ERROR :Closing Link: ebb[h.example] (Killed by oper (no more of this, or you are banned))",
         NULL,																							       "killed"   },
	{"ERROR :Closing Link: ebb[h.example] ([s.example] Local kill by oper (flooding))",												  NULL,
         "killed"																								       },
	{"ERROR :Closing Link: ebb[h.example] (Quit: K-Lined, they said)",														   "closed",       "closed"   },
	{"ERROR :All connections in use",																		    "throttled",    NULL       },
	{"ERROR :Closing Link: [192.0.2.1] (This server is full.)",															  "throttled",    NULL       },
 /* InspIRCd */
	{"ERROR :Closing link: (u@192.0.2.1) [G-lined: no bots]",															    "banned",       "banned"   },
	{"ERROR :Closing link: (u@192.0.2.1) [Z-lined: throttled no more]",														  "banned",       "banned"   },
	{"ERROR :Closing link: (unknown@192.0.2.1) [No more connections allowed from your host via this connect class (local)]",
         "throttled",																							NULL       },
	{"ERROR :Closing link: (unknown@192.0.2.1) [Your IP address has been attempting to connect too many times in too short a duration. Wait a while, and you will be able to connect.]",
         "throttled",																							NULL       },
	{"ERROR :Closing link: (u@192.0.2.1) [Killed (s.example (Your IP has been blacklisted.))]",
         "banned",																							   "killed"   },
	{"ERROR :Closing link: (u@192.0.2.1) [Killed (s.example (GHOST command used by x))]",
         "killed",																							   "killed"   },
	{"ERROR :Closing link: (u@192.0.2.1) [Registration timeout]",															"timeout",      NULL       },
	{"ERROR :Closing link: (u@192.0.2.1) [Excess flood]",																NULL,           "throttled"},
	{"ERROR :Closing link: (u@192.0.2.1) [RecvQ exceeded]",															      NULL,           "throttled"},
	{"ERROR :Closing link: (u@192.0.2.1) [SendQ exceeded]",															      NULL,           "closed"   },
	{"ERROR :Closing link: (u@192.0.2.1) [Quit: banned from thinking]",														  "closed",       "closed"   },
	{"ERROR :Closing link: (u@throttled.example) [Server shutdown]",														     "registration", "closed"   },
	{"ERROR :Closing link: (unknown@192.0.2.1) [Access denied by configuration]",
         "registration",																						     NULL       },
 /* Solanum, Libera, charybdis, ratbox */
	{"ERROR :Closing Link: h.example (K-Lined)",																	 "banned",       "banned"   },
	{"ERROR :Closing Link: h.example (Temporary K-line 1440 min. - spam)",													       "banned",       "banned"   },
	{"ERROR :Closing Link: 192.0.2.1 (*** Banned (cache))",															      "banned",       NULL       },
	{"ERROR :Closing Link: (*** Banned (cache))",																	"banned",       NULL       },
	{":s 465 ebb :You are banned from this server- Please use SASL (2026/1/1 00.00)",												    "banned",
         "banned"																								       },
	{":s 465 ebb :You need to identify via SASL to use this server",														     "sasl",         NULL       },
	{"ERROR :Closing Link: h.example (SASL access only)",																"sasl",         NULL       },
	{"ERROR :Trying to reconnect too fast.",																	     "throttled",    NULL       },
	{"ERROR :Closing Link: h.example (Too many host connections (local))",													       "throttled",    NULL       },
	{"ERROR :Closing Link: h.example (Too many user connections (global))",													      "throttled",    NULL       },
	{"ERROR :Closing Link: h.example (Max SendQ exceeded)",															      NULL,           "closed"   },
	{"ERROR :Closing Link: h.example (Connection timed out)",															    "timeout",      NULL       },
	{"ERROR :Closing Link: h.example (Killed (oper (stop talking about K-lines)))",												      NULL,
         "killed"																								       },
	{"ERROR :Closing Link: banned.example (Client Quit)",																"registration", "closed"   },
	{"ERROR :Closing Link: h.example (D-lined)",																	 "banned",       "banned"   },
	{"ERROR :You have been D-lined.",																		    "banned",       NULL       },
	{"ERROR :Closing Link: h.example (Server is full)",																  "throttled",    NULL       },
 /* ircd-hybrid */
	{"ERROR :Closing Link: h.example (Connection class is full (total limit reached))",
         "throttled",																							NULL       },
	{":s 465 ebb :You are banned from this server: connecting too fast",														 "banned",       "banned"   },
	{"ERROR :Closing Link: h.example (Invalid username [@])",															    "registration", NULL       },
 /* ircu, Undernet, QuakeNet */
	{"ERROR :Your host is trying to (re)connect too fast -- throttled",														  "throttled",    NULL       },
	{"ERROR :Closing Link: ebb by s.example (Sorry, your connection class is full - try again later or try another server)",
         "throttled",																							NULL       },
	{"ERROR :Closing Link: ebb by s.example (Too many connections from your host)",												      "throttled",
         NULL																									   },
	{"ERROR :Closing Link: ebb by s.example (G-lined (AUTO [1] open proxy))",													    "banned",
         "banned"																								       },
	{"ERROR :Closing Link: klined by s.example (Server going down)",														     "registration", "closed"   },
	{"ERROR :Closing Link: ebb by s.example (Killed (s.example (too many clones)))",												     NULL,
         "killed"																								       },
	{"ERROR :Closing Link: ebb by throttle.example (Ping timeout)",														      "ping",         "ping"     },
	{"ERROR :Closing Link: ebb by s.example (No Authorization - use another server)",
         "registration",																						     NULL       },
 /* bahamut, DALnet */
	{":s 465 ebb :*** You are not welcome on this network. Autokilled for spam",													 "banned",
         "banned"																								       },
	{"ERROR :Closing Link: 192.0.2.1 (AKILL: [AKILL ID:1] spam)",															"banned",       "banned"   },
	{"ERROR :Closing Link: 192.0.2.1 (Session limit exceeded)",															  "throttled",    "throttled"},
 /* ircd 2.11 of IRCnet */
	{"ERROR :Closing Link: ebb[~u@h.example] s.example (K-lined: away with you)",													"banned",
         "banned"																								       },
	{"ERROR :Closing Link: ebb[~u@h.example] (\"too many things to do\")",													       "closed",       "closed"   },
	{"ERROR :Closing Link: ebb[unknown@h.example] (Too many host connections (local))",
         "throttled",																							NULL       },
	{"ERROR :Closing Link: ebb[unknown@h.example] (Maximum connections from your host reached)",
         "throttled",																							NULL       },

 /* ngIRCd, Ergo, and others */
	{"ERROR :Too many connections from your IP address!",																"throttled",    NULL       },
	{"ERROR :You have attempted to connect too many times within a short duration. Wait a while, and you will be able to connect.",
         "throttled",																							NULL       },
	{"ERROR :Too many clients from your network",																	"throttled",    NULL       },
	{":s 465 ebb :You are banned from this server (spam)",															       "banned",       "banned"   },
	{"ERROR :You must log in with SASL to join this server",															     "sasl",         NULL       },
	{"ERROR :Quit: gone to read about DNSBL",																	    "closed",       "closed"   },
	{"ERROR :You are listed in DroneBL",																		 "banned",       NULL       },
	{"ERROR :Unbanned guests only, online",																	      "registration", "closed"   },
	{"ERROR :Closing Link: h.example - no reason",																       "registration", "closed"   },
	{"ERROR :Closing Link: h.example (Line too long)",																   "registration", "closed"   },
	{"ERROR :Closing Link: h.example (Read error, line is down)",															"registration", "closed"   },
	{"ERROR :Server going down",																			 "registration", "closed"   },
	{"ERROR :Closing Link:",																			     "registration", "closed"   },
};

/* After a numeric the server closes. */
static void hear(const char *greeting, const char *line, const char *kind)
{
	char script[2048];
	bool is_numeric = line[0] == ':';
	const char *words = strstr(line, " :") + 2;
	snprintf(script, sizeof(script), "%s< %s\n%s! %s %s%s\n", greeting, line,
		is_numeric ? "< ERROR :bye (Quit: x)\n" : "", kind, words,
		is_numeric ? ": bye (Quit: x)" : "");
	talk_hold(&talk_options, script);
}

static void the_words_of_a_server_tell_the_kind(void **state)
{
	const struct farewell_row *row = *state;
	if (row->before)
		hear(HELLO, row->line, row->before);
	if (row->after)
		hear(READY, row->line, row->after);
}

/* Whatever the server makes of it. */
static void after_our_quit_every_end_was_requested(void **state)
{
	const struct farewell_row *row = *state;
	hear(READY "q bye\n> QUIT :bye\n", row->line, "requested");
}

/* name; what is said */
static const struct talk_row {
	const char *name, *script;
} others[] = {
	{"an ERROR without words",                 HELLO "< ERROR\n! registration no reason given\n"                                                    },
	{"an ERROR that is empty",                 READY "< ERROR :\n! closed no reason given\n"                                                        },
	{"a way elsewhere is not taken",
         HELLO "< :s 010 ebb other.example 6667 :Please use this Server/Port instead\n"
		      "< ERROR :Closing Link: [192.0.2.1] (This server is full.)\n"
		      "! throttled Closing Link: [192.0.2.1] (This server is full.)\n"                                                                  },
	{"a user name that is refused",            HELLO "< :s 468 ebb :Your username is not valid\n"
					      "! registration user: Your username is not valid\n"                },
	{"a host that is refused",                 HELLO
		"< :s 463 ebb :You are not privileged\n+ 1\n! registration You are not privileged\n"                  },
	{"a host that is refused, once we are in", READY "< :s 463 ebb :no\n"                                                                           },
	{"a warning that a ban will come",         HELLO "< :s 466 ebb :soon\n"									 },
	{"a ban, and the reason behind it",        READY
		"< :s 465 ebb :You're banned! See the ERROR line below\n"
		"< ERROR :Closing link: (u@h) [Too many: K-lined]\n"
		"! banned You're banned! See the ERROR line below: Closing link: (u@h) [Too many: K-lined]\n"},
	{"a ban, and nothing more",                READY
		"< :s 465 ebb :You are banned\n< PING x\n> PONG :x\n+ 1\n! banned You are banned\n"                  },
	{"two bans",
         READY "< :s 465 ebb :K-lined\n< :s 465 ebb :Throttled\n+ 1\n! banned K-lined\n"                                                                },
	{"a ban of the connection before",
         HELLO "< :s 465 ebb :You are banned\nx now\n" HELLO "+ 2\n"										    },
};

static void conversation(void **state)
{
	const struct talk_row *row = *state;
	talk_hold(&talk_options, row->script);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, the_words_of_a_server_tell_the_kind);
	check_rows(&c, rows, after_our_quit_every_end_was_requested);
	check_rows(&c, others, conversation);
	return check_run(&c, "farewell");
}
