#include "irc/caps.h"

#include "support/check.h"

#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 20, TEXT_BYTES = 256 * 1024 };

/* A conversation: what the server says is given, and what follows is noted. */
struct talk {
	struct caps caps;
	struct caps_options options;
	char words[512]; /* what the names of the options are parts of */
	const char *names[NAMES_MAX];
	size_t n_names;
	struct buf text; /* lines "< heard", "> sent", "+ gained" … */
	struct buf out;
	unsigned n_settled;
};

static void note(struct talk *t, const char *before, struct str s)
{
	assert_int_equal(buf_addf(&t->text, "%s%" STR_F "\n", before, STR_A(s)), 0);
}

static void note_set(struct talk *t, const char *before, uint64_t set, bool with_values)
{
	struct buf line;
	struct str value;
	const char *name;
	buf_init(&line, TEXT_BYTES);
	while ((name = caps_next(&t->caps, &set, &value))) {
		assert_int_equal(buf_addf(&line, " %s", name), 0);
		if (with_values && value.p)
			assert_int_equal(buf_addf(&line, "=%" STR_F, STR_A(value)), 0);
	}
	if (buf_str(&line).n)
		note(t, before, buf_str(&line));
	buf_fini(&line);
}

static bool may_be_asked(const struct talk *t, struct str name)
{
	for (unsigned i = 0; i < CAP_COUNT; i++)
		if (str_eq(name, str_of(caps_name((enum cap)i))))
			return i != CAP_STS;
	for (size_t i = 0; i < t->n_names; i++)
		if (str_eq(name, str_of(t->names[i])))
			return true;
	return false;
}

/* Each line sent fits, and asks for what may be asked for. */
static void check_sent(struct talk *t)
{
	struct str rest = buf_str(&t->out), line, name;
	assert_true(rest.n <= CAPS_OUT_MAX_BYTES);
	while (rest.n) {
		line = str_cut(&rest, '\n');
		assert_true(rest.p && line.n && line.p[line.n - 1] == '\r');
		line.n--;
		assert_true(line.n <= MESSAGE_BYTES - 2);
		assert_true(str_starts(line, STR("CAP REQ :")));
		note(t, "> ", line);
		line = str_skip(line, strlen("CAP REQ :"));
		while ((name = str_word(&line, " ")).n)
			assert_true(may_be_asked(t, name));
	}
}

static void check_state(const struct talk *t)
{
	const struct caps *c = &t->caps;
	assert_int_equal(c->asked & c->enabled, 0);
	assert_int_equal((c->enabled | c->asked) & CAP_BIT(CAP_STS), 0);
	const struct caps_texts none = {0}, *texts = c->texts ? c->texts : &none;
	for (unsigned i = 0; i < CAPS_MAX; i++) {
		assert_true(!texts->values[i] || strlen(texts->values[i]) <= CAPS_VALUE_MAX_BYTES);
		assert_true(i < CAP_COUNT || texts->extras[i - CAP_COUNT] ||
			    !((c->enabled | c->asked | c->offered) & CAP_BIT(i)));
	}
}

static void hear(struct talk *t, struct str line)
{
	struct message m;
	buf_reset(&t->out);
	assert_int_equal(message_parse(&m, line), 0);

	enum caps_result r = caps_hear(&t->caps, &m, &t->out);

	check_sent(t);
	check_state(t);
	note_set(t, "+", t->caps.news.gained, false);
	note_set(t, "-", t->caps.news.lost, false);
	note_set(t, "x", t->caps.news.refused, false);
	if (r != CAPS_SETTLED)
		return;
	note(t, "settled", STR_NONE);
	assert_int_equal(t->n_settled++, 0);
}

/* What comes after "CAP ebb ". */
static void say(struct talk *t, const char *rest)
{
	struct buf line;
	buf_init(&line, TEXT_BYTES);
	assert_int_equal(buf_addf(&line, ":s CAP ebb %s", rest), 0);
	hear(t, buf_str(&line));
	buf_fini(&line);
}

static size_t split(struct talk *t, const char *words, size_t used)
{
	char *p = t->words + used;
	snprintf(p, sizeof(t->words) - used, "%s", words ? words : "");
	size_t n = strlen(p) + 1;
	for (char *word = strtok(p, " "); word; word = strtok(NULL, " ")) {
		assert_true(t->n_names < NAMES_MAX);
		t->names[t->n_names++] = word;
	}
	return used + n;
}

static void talk_begin(struct talk *t, const char *more, const char *refused, bool sasl)
{
	*t = (struct talk){.options = {.wants_sasl = sasl}};
	buf_init(&t->text, TEXT_BYTES);
	buf_init(&t->out, CAPS_OUT_MAX_BYTES);
	size_t used = split(t, more, 0);
	t->options.more = t->names;
	t->options.n_more = t->n_names;
	split(t, refused, used);
	t->options.refused = t->names + t->options.n_more;
	t->options.n_refused = t->n_names - t->options.n_more;
	caps_begin(&t->caps, &t->options, &t->out);
	assert_slice(buf_str(&t->out), "CAP LS 302\r\n");
}

static void talk_end(struct talk *t)
{
	static const struct caps fresh;
	caps_fini(&t->caps);
	assert_memory_equal(&t->caps, &fresh, sizeof(fresh));
	buf_fini(&t->text);
	buf_fini(&t->out);
}

/* In a script, "<" is heard, "?" shows what is enabled and "o" what is offered, with values; the
 * rest is what is expected. */
static void run(struct talk *t, const char *script)
{
	struct str rest = str_of(script);
	char line[2048];
	while (rest.n) {
		struct str step = str_cut(&rest, '\n');
		if (str_starts(step, STR("< "))) {
			note(t, "", step);
			snprintf(line, sizeof(line), "%" STR_F, STR_A(str_skip(step, 2)));
			say(t, line);
		} else if (str_starts(step, STR("?"))) {
			note_set(t, "?", t->caps.enabled, true);
		} else if (str_starts(step, STR("o"))) {
			note_set(t, "o", t->caps.offered, true);
		}
	}
	assert_slice(buf_str(&t->text), script);
}

#define ON(caps) "< LS :" caps "\n> CAP REQ :" caps "\n< ACK :" caps "\n+ " caps "\nsettled\n"

static const struct talk_row {
	const char *name;
	const char *script;
	const char *more, *refused;
	bool sasl;
} rows[] = {
	{"asks for what is offered and known, once",                           ON("batch chghost") "? batch chghost\n",           NULL,
         NULL,																							       false},
	{"is settled where nothing is offered",                                "< LS :\nsettled\n",                               NULL,                                               NULL,                  false},
	{"is settled by LS without a list",                                    "< LS\nsettled\n",                                 NULL,                                               NULL,                  false},
	{"is settled where nothing is wanted",                                 "< LS :a b=c sts=port=1\nsettled\no sts=port=1\n",
         NULL,																					NULL,                  false},
	{"passes over doubled spaces and one at the end",
         "< LS :  batch   chghost  \n> CAP REQ :batch chghost\n"
		"< ACK : batch  chghost \n+ batch chghost\nsettled\n",							    NULL,					       NULL,                  false},
	{"takes a list of one without a colon",
         "< LS batch\n> CAP REQ :batch\n< ACK batch\n+ batch\nsettled\n",                                                         NULL,                                               NULL,                  false},
	{"takes a verb in small letters",
         "< ls :batch\n> CAP REQ :batch\n< ack :batch\n+ batch\nsettled\n",                                                       NULL,                                               NULL,
         false																								    },
	{"is strict about the letters of a name",                              "< LS :Batch\nsettled\n",                          NULL,                                               NULL,                  false},
	{"does not ask for traps, nor for part of a name",
         "< LS :inspircd.org/poison ergo.chat/nope tls batches bat =batch -batch = chghost\n"
		"> CAP REQ :chghost\n< ACK :chghost\n+ chghost\nsettled\n",						       NULL,					       NULL,                  false},
	{"does not ask for traps though they are configured",
         "< LS :inspircd.org/poison ergo.chat/nope tls sts=port=6697\nsettled\no sts=port=6697\n",				"inspircd.org/poison ergo.chat/nope tls sts",       NULL,                  false},

	{"asks when the last line of LS is there",
         "< LS * :server-time sts=duration=5\n< LS * :\n< LS :batch\n"
		"> CAP REQ :batch server-time\n< ACK :batch server-time\n"
		"+ batch server-time\nsettled\n",										 NULL,					       NULL,                  false},
	{"takes a star at the end for a name",                                 "< LS *\nsettled\n",                               NULL,                                               NULL,                  false},
	{"applies an ACK of several lines as they come",
         "< LS :batch chghost setname\n> CAP REQ :batch chghost setname\n"
		"< ACK * :setname\n+ setname\n< ACK * :batch\n+ batch\n? batch setname\n"
		"< ACK :chghost\n+ chghost\nsettled\n",									   NULL,					       NULL,                  false},
	{"asks one by one after a NAK",
         "< LS :batch chghost\n> CAP REQ :batch chghost\n< NAK :batch chghost\n"
		"> CAP REQ :batch\n> CAP REQ :chghost\n< NAK :batch\nx batch\n"
		"< ACK :chghost\n+ chghost\nsettled\n? chghost\n",								NULL,					       NULL,                  false},
	{"leaves what is refused alone",
         "< LS :batch\n> CAP REQ :batch\n< NAK :batch\nx batch\nsettled\n< NAK :batch\n",					 NULL,					       NULL,                  false},
	{"asks for the whole set again though NAK names a part",
         "< LS :batch chghost setname\n> CAP REQ :batch chghost setname\n< NAK :chghost\n"
		"> CAP REQ :batch\n> CAP REQ :chghost\n> CAP REQ :setname\n< ACK :batch\n+ batch\n"
		"< NAK :chghost\nx chghost\n< ACK :setname\n+ setname\nsettled\n",						NULL,					       NULL,                  false},
	{"asks again only for the set that was refused",
         "< LS :batch chghost\n> CAP REQ :batch chghost\n< NEW :setname invite-notify\n"
		"> CAP REQ :invite-notify setname\n< NAK :batch chghost\n"
		"> CAP REQ :batch\n> CAP REQ :chghost\n< ACK :invite-notify setname\n"
		"+ invite-notify setname\n< ACK :chghost\n+ chghost\n< ACK :batch\n+ batch\nsettled\n",
         NULL,																					NULL,                  false},
	{"does not settle by an answer that names nothing asked",
         "< LS :batch\n> CAP REQ :batch\n< NAK :\n< NAK :x\n< ACK :\n< ACK\n< NAK\n"
		"< ACK :x\n< FOO :batch\n< ACK :batch\n+ batch\nsettled\n",						       NULL,					       NULL,                  false},
	{"passes over a NAK of what was acknowledged",
         "< LS :batch chghost\n> CAP REQ :batch chghost\n< ACK * :batch\n+ batch\n< NAK :batch\n"
		"? batch\n< ACK :chghost\n+ chghost\nsettled\n",								  NULL,					       NULL,                  false},
	{"does not ask for a name that would take one away",                   "< LS :-x -batch\nsettled\n",
         "-x -batch",																				 NULL,                  false},
	{"does not enable what was not asked for",
         ON("batch") "< ACK :chghost sts sasl=PLAIN x batch\n? batch\n",                                                          NULL,                                               NULL,                  false},
	{"does not ask again for what was refused, before it is offered anew",
         "< LS :batch\n> CAP REQ :batch\n< NAK :batch\nx batch\nsettled\n< LS :batch\n"
		"< NEW :batch\n> CAP REQ :batch\n< ACK :batch\n+ batch\n",							NULL,					       NULL,                  false},
	{"drops what an ACK takes away",
         ON("batch chghost") "< ACK :-batch -setname -x\n- batch\n? chghost\n"
				    "o batch chghost\n< NAK :-chghost\n? chghost\n",					      NULL,					       NULL,                  false},
	{"drops what is asked for and taken away at once",
         "< LS :batch\n> CAP REQ :batch\n< ACK :batch -batch\nsettled\n",                                                         NULL,                                               NULL,                  false},

	{"asks for what NEW offers",
         ON("batch") "< NEW :chghost x batch\n> CAP REQ :chghost\n< ACK :chghost\n+ chghost\n"
			    "? batch chghost\n",										  NULL,					       NULL,                  false},
	{"asks for what NEW offers to who never heard LS",
         "< NEW :batch\n> CAP REQ :batch\n< ACK :batch\n+ batch\n",                                                               NULL,                                               NULL,                  false},
	{"waits for what NEW offered before it is settled",
         "< LS :batch\n> CAP REQ :batch\n< NEW :chghost\n> CAP REQ :chghost\n"
		"< ACK :batch\n+ batch\n< NAK :chghost\nx chghost\nsettled\n",						    NULL,					       NULL,                  false},
	{"drops what DEL takes away",
         ON("batch chghost") "< DEL :batch x setname\n- batch\n? chghost\no chghost\n",                                           NULL,
         NULL,																							       false},
	{"is settled when DEL takes the last that it waits for",
         "< LS :batch chghost\n> CAP REQ :batch chghost\n< DEL :batch\n< DEL :chghost\nsettled\n"
		"< NAK :batch chghost\n",											 NULL,					       NULL,                  false},
	{"asks again for what is left of a set after DEL",
         "< LS :batch chghost\n> CAP REQ :batch chghost\n< DEL :batch\n"
		"< NAK :batch chghost\n> CAP REQ :chghost\n< ACK :chghost\n+ chghost\nsettled\n",				 NULL,					       NULL,                  false},
	{"takes one back that went and came before the answer",
         "< LS :batch\n> CAP REQ :batch\n< NEW :batch\n< DEL :batch\nsettled\n"
		"< NEW :batch\n> CAP REQ :batch\n< ACK :batch\n+ batch\n< ACK :batch\n? batch\n",				 NULL,					       NULL,                  false},

	{"keeps values",
         "< LS :draft/multiline=max-bytes=4096,max-lines=100 batch=\n"
		"> CAP REQ :batch draft/multiline\n< ACK :batch draft/multiline\n"
		"+ batch draft/multiline\nsettled\n? batch draft/multiline=max-bytes=4096,max-lines=100\n"
		"< NEW :draft/multiline=max-bytes=1\n? batch draft/multiline=max-bytes=1\n"
		"< NEW :draft/multiline\n? batch draft/multiline\n",							      NULL,					       NULL,                  false},
	{"forgets the value of what is gone",
         "< LS :draft/chathistory=50\n> CAP REQ :draft/chathistory\n"
		"< ACK :draft/chathistory\n+ draft/chathistory\nsettled\n"
		"< DEL :draft/chathistory\n- draft/chathistory\n< NEW :draft/chathistory\n"
		"> CAP REQ :draft/chathistory\n< ACK :draft/chathistory\n+ draft/chathistory\n"
		"? draft/chathistory\n",											  NULL,					       NULL,                  false},
	{"takes a value in an answer for none of its business",
         "< LS :batch=1\n> CAP REQ :batch\n< ACK :batch=2\n+ batch\nsettled\n? batch=1\n",					NULL,					       NULL,                  false},
	{"never asks for sts, and DEL does not end it",
         "< LS :sts=port=1\nsettled\n< NEW :sts=duration=1,port=2\no sts=duration=1,port=2\n"
		"< DEL :sts\no sts=duration=1,port=2\n< ACK :sts\n< ACK :-sts\no sts=duration=1,port=2\n",
         NULL,																					NULL,                  false},

	{"does not ask for sasl by itself",                                    "< LS :sasl=PLAIN\nsettled\no sasl=PLAIN\n",       NULL,                                               NULL,
         false																								    },
	{"asks for sasl where it is wanted",
         "< LS :sasl=PLAIN\n> CAP REQ :sasl\n< ACK :sasl\n+ sasl\nsettled\n? sasl=PLAIN\n"
		"< DEL :sasl\n- sasl\n< NEW :sasl=EXTERNAL\n> CAP REQ :sasl\n< ACK :sasl\n+ sasl\n"
		"? sasl=EXTERNAL\n",											      NULL,					       NULL,                  true },
	{"asks for sasl where it is configured by name",                       ON("sasl"),                                        "sasl",                                             NULL,                  false},
	{"does not ask for what is refused",
         "< LS :batch echo-message sasl\n> CAP REQ :batch\n< ACK :batch\n+ batch\nsettled\n"
		"< NEW :echo-message x\n",											"x echo-message",				   "echo-message sasl x", true },

	{"asks for other names that are configured",
         "< LS :znc.in/playback=1 batch draft/pre-away y\n"
		"> CAP REQ :batch znc.in/playback draft/pre-away\n"
		"< NAK :batch znc.in/playback draft/pre-away\n> CAP REQ :batch\n"
		"> CAP REQ :znc.in/playback\n> CAP REQ :draft/pre-away\n< ACK :batch\n+ batch\n"
		"< ACK :znc.in/playback\n+ znc.in/playback\n< NAK :draft/pre-away\nx draft/pre-away\n"
		"settled\n? batch znc.in/playback=1\n< DEL :znc.in/playback\n- znc.in/playback\n? batch\n"
		"< NEW :znc.in/playback y\n> CAP REQ :znc.in/playback\n< ACK :znc.in/playback\n"
		"+ znc.in/playback\n? batch znc.in/playback\n",								   "draft/pre-away batch znc.in/playback not-offered", NULL,                  false},

	{"drops what LIST does not name",
         ON("batch cap-notify chghost setname") "< LIST * :setname\n< LIST :batch invite-notify\n"
						       "- chghost\n? batch cap-notify setname\n"
						       "< LIST :batch\n- setname\n< LIST\n- batch\n"
						       "? cap-notify\n",							  NULL,					       NULL,                  false},
	{"asks for nothing when a script asked for LS",
         ON("batch") "< LS * :chghost\n< LS :setname=2 batch=3\n? batch=3\n"
			    "o batch=3 chghost setname=2\n",								      NULL,					       NULL,                  false},
	{"says nothing to what is no answer at all",                           "< FOO\n< FOO * :batch\n< END\n< REQ :batch\n",
         NULL,																					NULL,                  false},

	{"asks InspIRCd",
         "< LS :account-notify account-tag away-notify batch cap-notify chghost echo-message "
		"extended-join extended-monitor inspircd.org/poison inspircd.org/standard-replies "
		"invite-notify labeled-response message-tags multi-prefix server-time setname "
		"userhost-in-names \n"
		"> CAP REQ :account-notify account-tag away-notify batch cap-notify chghost echo-message "
		"extended-join extended-monitor inspircd.org/standard-replies invite-notify "
		"labeled-response message-tags multi-prefix server-time setname userhost-in-names\n",
         NULL,																					NULL,                  false},
	{"asks Ergo",
         "< LS * :account-notify account-tag away-notify batch cap-notify chghost "
		"draft/account-registration=before-connect draft/channel-rename draft/chathistory "
		"draft/event-playback draft/extended-isupport draft/languages=20,en,~ca-ES "
		"draft/message-redaction draft/metadata-2=max-subs=100,max-keys=100 "
		"draft/multiline=max-bytes=4096,max-lines=100 draft/no-implicit-names draft/persistence\n"
		"< LS :draft/pre-away draft/read-marker draft/relaymsg=/ echo-message ergo.chat/nope "
		"extended-join extended-monitor invite-notify labeled-response message-tags multi-prefix "
		"no-implicit-names sasl=PLAIN,EXTERNAL,SCRAM-SHA-256 server-time setname "
		"standard-replies sts=duration=1,port=6697 userhost-in-names znc.in/playback\n"
		"> CAP REQ :account-notify account-tag away-notify batch cap-notify chghost "
		"draft/channel-rename draft/chathistory draft/message-redaction draft/multiline "
		"echo-message extended-join extended-monitor invite-notify labeled-response message-tags "
		"multi-prefix sasl server-time setname standard-replies userhost-in-names\n",				     NULL,					       NULL,                  true },
};

static void conversation(void **state)
{
	const struct talk_row *row = *state;
	struct talk t;
	talk_begin(&t, row->more, row->refused, row->sasl);
	run(&t, row->script);
	talk_end(&t);
}

static void each_name_stands_once_and_in_order(void **state)
{
	(void)state;
	for (unsigned i = 1; i < CAP_COUNT; i++)
		assert_true(strcmp(caps_name((enum cap)(i - 1)), caps_name((enum cap)i)) < 0);
	assert_string_equal(caps_name(CAP_STS), "sts");
}

static void the_news_tell_what_a_line_offers(void **state)
{
	(void)state;
	struct talk t;
	talk_begin(&t, NULL, NULL, false);

	say(&t, "LS * :batch sts=port=1 unknown");
	assert_int_equal(t.caps.news.offered, CAP_BIT(CAP_BATCH) | CAP_BIT(CAP_STS));
	assert_true(t.caps.offered & CAP_BIT(CAP_STS));
	assert_slice(caps_value(&t.caps, CAP_STS), "port=1");
	assert_slice(caps_value(&t.caps, CAP_BATCH), NULL);
	say(&t, "LS :");
	assert_int_equal(t.caps.news.offered, 0);
	say(&t, "NEW :sts=port=2");

	assert_int_equal(t.caps.news.offered, CAP_BIT(CAP_STS));
	assert_slice(caps_value(&t.caps, CAP_STS), "port=2");
	assert_false(caps_has(&t.caps, CAP_STS));
	talk_end(&t);
}

static void a_line_that_is_no_cap_at_all_does_nothing(void **state)
{
	(void)state;
	struct talk t;
	talk_begin(&t, NULL, NULL, false);

	hear(&t, STR("CAP"));
	hear(&t, STR("CAP ebb"));
	hear(&t, STR("CAP ebb :"));

	assert_slice(buf_str(&t.text), "");
	talk_end(&t);
}

static void without_options_the_table_alone_counts(void **state)
{
	(void)state;
	struct talk t;
	talk_begin(&t, NULL, NULL, true);
	caps_configure(&t.caps, NULL);

	run(&t, "< LS :sasl batch x\n> CAP REQ :batch\n");

	talk_end(&t);
}

static void other_options_hold_for_what_is_offered_next(void **state)
{
	(void)state;
	static const char *const more[] = {"y"}, *const refused[] = {"chghost"};
	static const struct caps_options other = {more, 1, refused, 1, false};
	struct talk t;
	talk_begin(&t, "x y", NULL, true);
	run(&t, "< LS :x\n> CAP REQ :x\n< ACK :x\n+ x\nsettled\n");
	buf_reset(&t.text);

	caps_configure(&t.caps, &other);

	run(&t, "< NEW :chghost sasl y\n> CAP REQ :y\n< ACK :y\n+ y\n? x y\n"
		"< DEL :x\n- x\n< NEW :x\n? y\n");
	talk_end(&t);
}

static void a_second_beginning_knows_nothing_of_the_first(void **state)
{
	(void)state;
	struct talk t;
	talk_begin(&t, "x", NULL, false);
	run(&t, "< LS * :x=1 batch=2\n< LS :sts=3\n> CAP REQ :batch x\n< ACK :x\n+ x\n");
	buf_reset(&t.text);
	buf_reset(&t.out);

	caps_begin(&t.caps, &t.options, &t.out);

	assert_slice(buf_str(&t.out), "CAP LS 302\r\n");
	run(&t, "< ACK :batch\n< LS :x\n> CAP REQ :x\n< ACK :x\n+ x\nsettled\n? x\no x\n");
	talk_end(&t);
}

static void an_endless_ls_ends(void **state)
{
	(void)state;
	struct talk t;
	talk_begin(&t, NULL, NULL, false);
	say(&t, "LS * :batch");
	for (int i = 1; i < CAPS_LS_LINES_MAX - 1; i++)
		say(&t, "LS * :some thing=else");
	assert_slice(buf_str(&t.text), "");

	say(&t, "LS * :chghost");
	for (int i = 0; i < 1000; i++)
		say(&t, "LS * :setname");
	say(&t, "ACK :batch chghost");

	assert_slice(buf_str(&t.text), "> CAP REQ :batch chghost\n+ batch chghost\nsettled\n");
	talk_end(&t);
}

static void a_value_is_bounded(void **state)
{
	(void)state;
	struct talk t;
	char line[CAPS_VALUE_MAX_BYTES + 64];
	talk_begin(&t, NULL, NULL, false);

	snprintf(line, sizeof(line), "LS * :batch=%0*d", CAPS_VALUE_MAX_BYTES, 1);
	say(&t, line);
	assert_int_equal(caps_value(&t.caps, CAP_BATCH).n, CAPS_VALUE_MAX_BYTES);
	snprintf(line, sizeof(line), "LS * :batch=%0*d", CAPS_VALUE_MAX_BYTES + 1, 1);
	say(&t, line);

	assert_slice(caps_value(&t.caps, CAP_BATCH), NULL);
	assert_true(t.caps.offered & CAP_BIT(CAP_BATCH));
	talk_end(&t);
}

/* Names a, b, c … of n bytes each, count of them, with spaces between. */
static void put_names(struct buf *b, size_t n, int count)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(buf_addf(b, "%s%c%0*d", i ? " " : "", 'a' + i, (int)n - 1, 0), 0);
}

struct big {
	struct talk t;
	struct buf list;
	char words[32][CAPS_NAME_MAX_BYTES + 2];
	const char *names[32];
	struct caps_options options;
};

static void big_begin(struct big *g, size_t n, int count)
{
	talk_begin(&g->t, NULL, NULL, false);
	buf_init(&g->list, TEXT_BYTES);
	assert_int_equal(buf_addf(&g->list, "LS :"), 0);
	put_names(&g->list, n, count);
	struct str rest = str_skip(buf_str(&g->list), strlen("LS :"));
	for (int i = 0; i < count; i++) {
		struct str word = str_word(&rest, " ");
		snprintf(g->words[i], sizeof(g->words[i]), "%" STR_F, STR_A(word));
		g->names[i] = g->t.names[i % NAMES_MAX] = g->words[i];
	}
	g->t.n_names = NAMES_MAX < count ? NAMES_MAX : (size_t)count;
	g->options = (struct caps_options){.more = g->names, .n_more = (size_t)count};
	caps_configure(&g->t.caps, &g->options);
}

static void big_end(struct big *g)
{
	talk_end(&g->t);
	buf_fini(&g->list);
}

static unsigned count_lines(const struct talk *t)
{
	unsigned n = 0;
	for (struct str s = buf_str(&t->out); s.n; n++)
		str_cut(&s, '\n');
	return n;
}

static unsigned count_bits(uint64_t set)
{
	unsigned n = 0;
	for (; set; set &= set - 1)
		n++;
	return n;
}

static void long_requests_are_split(void **state)
{
	(void)state;
	static const struct {
		size_t n;
		int count;
		unsigned lines;
	} cases[] = {
		{99,  4,  1}, /* exactly what a line takes */
		{99,  5,  2},
		{100, 3,  1},
		{100, 4,  2},
		{99,  8,  2},
		{99,  16, 4},
		{24,  16, 1},
		{25,  16, 2},
	};
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct big g;
		big_begin(&g, cases[i].n, cases[i].count);
		say(&g.t, buf_str(&g.list).p);
		assert_int_equal(count_lines(&g.t), cases[i].lines);
		assert_int_equal(count_bits(g.t.caps.asked), cases[i].count);
		big_end(&g);
	}
}

static void the_number_of_other_names_is_bounded(void **state)
{
	(void)state;
	struct big g;
	big_begin(&g, 50, 20);

	say(&g.t, buf_str(&g.list).p);

	assert_int_equal(count_bits(g.t.caps.asked), CAPS_EXTRA_MAX);
	big_end(&g);
}

static void a_name_that_is_gone_makes_room_for_another(void **state)
{
	(void)state;
	struct big g;
	char line[128];
	big_begin(&g, 50, 20);
	say(&g.t, buf_str(&g.list).p);
	buf_reset(&g.t.text);

	snprintf(line, sizeof(line), "DEL :%s", g.names[3]);
	say(&g.t, line);
	snprintf(line, sizeof(line), "NEW :%s=v", g.names[17]);
	say(&g.t, line);

	snprintf(line, sizeof(line), "> CAP REQ :%s\n", g.names[17]);
	assert_slice(buf_str(&g.t.text), line);
	assert_int_equal(count_bits(g.t.caps.asked), CAPS_EXTRA_MAX);
	big_end(&g);
}

static void too_long_a_name_is_never_asked_for(void **state)
{
	(void)state;
	struct big g;
	big_begin(&g, CAPS_NAME_MAX_BYTES + 1, 2);

	say(&g.t, buf_str(&g.list).p);

	assert_slice(buf_str(&g.t.text), "settled\n");
	big_end(&g);
}

static void the_longest_refusal_fits(void **state)
{
	(void)state;
	struct big g;
	big_begin(&g, CAPS_NAME_MAX_BYTES, 16);
	for (unsigned i = 0; i < CAP_COUNT; i++)
		assert_int_equal(buf_addf(&g.list, " %s", caps_name((enum cap)i)), 0);
	say(&g.t, buf_str(&g.list).p);
	unsigned n = count_bits(g.t.caps.asked);
	assert_int_equal(n, CAPS_MAX - 2); /* all but sasl and sts */

	say(&g.t, "NAK :batch");
	unsigned n_lines = count_lines(&g.t);
	for (unsigned i = 0; i < CAPS_EXTRA_MAX; i++) {
		char line[128];
		snprintf(line, sizeof(line), "NAK :%s", g.names[i]);
		if (g.t.caps.alone & CAP_BIT(CAP_COUNT + i))
			continue;
		say(&g.t, line);
		n_lines += count_lines(&g.t);
	}

	assert_int_equal(n_lines, n);
	assert_int_equal(g.t.caps.alone, g.t.caps.asked);
	big_end(&g);
}

static void a_storm_of_new_and_del_leaves_nothing_behind(void **state)
{
	(void)state;
	struct talk t;
	talk_begin(&t, "x", NULL, false);
	say(&t, "LS :");
	for (int i = 0; i < 1000; i++) {
		buf_reset(&t.text);
		run(&t, "< NEW :batch=1 chghost x=2\n> CAP REQ :batch chghost x\n"
			"< NEW :batch chghost=2\n< DEL :x batch\n< NAK :batch chghost x\n"
			"> CAP REQ :chghost\n< ACK :chghost\n+ chghost\n? chghost=2\n"
			"< DEL :chghost\n- chghost\n");
		assert_int_equal(t.caps.asked | t.caps.enabled | t.caps.offered, 0);
	}
	for (unsigned i = 0; i < CAPS_MAX; i++)
		assert_null(t.caps.texts->values[i]);
	talk_end(&t);
}

static void freeing_takes_what_is_not_there(void **state)
{
	(void)state;
	struct caps c = {0};
	caps_fini(&c);
	caps_fini(NULL);
	assert_false(caps_has(&c, CAP_BATCH));
	assert_slice(caps_value(&c, CAP_BATCH), NULL);
}

int main(void)
{
	struct check c = {0};
	check_rows(&c, rows, conversation);
	check_test(&c, each_name_stands_once_and_in_order);
	check_test(&c, the_news_tell_what_a_line_offers);
	check_test(&c, a_line_that_is_no_cap_at_all_does_nothing);
	check_test(&c, without_options_the_table_alone_counts);
	check_test(&c, other_options_hold_for_what_is_offered_next);
	check_test(&c, a_second_beginning_knows_nothing_of_the_first);
	check_test(&c, an_endless_ls_ends);
	check_test(&c, a_value_is_bounded);
	check_test(&c, long_requests_are_split);
	check_test(&c, the_number_of_other_names_is_bounded);
	check_test(&c, a_name_that_is_gone_makes_room_for_another);
	check_test(&c, too_long_a_name_is_never_asked_for);
	check_test(&c, the_longest_refusal_fits);
	check_test(&c, a_storm_of_new_and_del_leaves_nothing_behind);
	check_test(&c, freeing_takes_what_is_not_there);
	return check_run(&c, "caps");
}
