#include "support/check.h"
#include "support/talk.h"

#include "base/log.h"

static const struct session_channel channels[] = {
	{"#a", NULL}
};

/* AGViYgBwdw== is "\0ebb\0pw". */
#define ASKED   HELLO "< :s CAP * LS :sasl=PLAIN\n> CAP REQ :sasl\n"
#define LOGIN   "> AUTHENTICATE PLAIN\n"
#define SECRET  "< AUTHENTICATE +\n> AUTHENTICATE AGViYgBwdw==\n"
#define BEGUN   ASKED "< :s CAP ebb ACK :sasl\n" LOGIN
#define NAMED   "< :s 900 ebb ebb!u@h ebb :You are now logged in\n"
#define OK      "< :s 903 ebb :SASL authentication successful\n"
#define REFUSED "< :s 904 ebb :Invalid credentials\n"
#define BAD     "test: sasl: plain: Invalid credentials\n"
#define WELCOME "< :s 001 ebb :hi\n< :s 376 ebb :end\n> JOIN #a\n*\n"
#define JOINED  WELCOME "< :ebb!u@h JOIN #a\n"
#define IN      BEGUN SECRET NAMED OK "> CAP END\n" JOINED
#define WITHOUT BEGUN SECRET REFUSED "w " BAD "> CAP END\n" WELCOME
#define NOTHING "+ 1000000\n"
#define HELD    "> CAP LS 302\n"
#define LATE    "> PASS :swordfish\n> NICK ebb\n> USER u 0 * :r n\n"

/* A login is required; or it is not, or not wanted at all. */
enum { REQUIRED = 0, OPTIONAL = 1, NONE = 2, PASSWORD = 4, STS = 8, SECURE = 16 };

/* Rows in the form of a call, for what they hold takes lines of its own. */
#define TALK(name, how, script)   \
	{                         \
		name, how, script \
	}

static const struct talk_row {
	const char *name;
	unsigned how;
	const char *script;
} rows[] = {
	TALK("logs in before it ends the negotiation", REQUIRED,
		BEGUN SECRET NAMED OK "> CAP END\n" WELCOME),
	TALK("logs in once", REQUIRED, IN "+ 100\n"),
	TALK("ends at once where no login is wanted", NONE,
		HELLO "< :s CAP * LS :sasl=PLAIN\n> CAP END\n"),
	TALK("waits for what else it asked for", REQUIRED,
		HELLO "< :s CAP * LS :sasl chghost\n> CAP REQ :chghost sasl\n+ 20\n"
		      "< :s CAP ebb ACK :chghost sasl\n" LOGIN),

	TALK("logs in once where capabilities come late", OPTIONAL,
		HELLO "< :s 001 ebb :hi\nw test: sasl: the server welcomes us without a login\n"
		      "< :s 376 ebb :end\n> JOIN #a\n*\n< :s CAP * LS :sasl=PLAIN\n"
		      "> CAP REQ :sasl\n< :s CAP ebb ACK :sasl\n" LOGIN),
	TALK("says no more where it has quit", REQUIRED,
		BEGUN "q bye\n> QUIT :bye\n< :s 001 ebb :hi\n"),
	TALK("tells no password where it has quit", NONE | PASSWORD | STS,
		HELD "q bye\n> QUIT :bye\n< :s 421 * CAP :Unknown command\n"),

	/* Without it, where it is required. */
	TALK("leaves a server that refuses the login", REQUIRED,
		BEGUN SECRET REFUSED
		"! sasl plain: Invalid credentials\n< PING x\n< :s 001 ebb :hi\n" NOTHING),
	TALK("leaves a server that offers no login", REQUIRED,
		HELLO "< :s CAP * LS :chghost\n> CAP REQ :chghost\n< :s CAP ebb ACK :chghost\n"
		      "! sasl the server does not offer it\n" NOTHING),
	TALK("leaves a server that offers nothing", REQUIRED,
		HELLO "< :s CAP * LS :\n! sasl the server does not offer it\n"),
	TALK("leaves a server that knows other mechanisms only", REQUIRED,
		HELLO
		"< :s CAP * LS :sasl=EXTERNAL\n> CAP REQ :sasl\n"
		"< :s CAP ebb ACK :sasl\n! sasl plain is not offered; the server offers EXTERNAL\n"),
	TALK("leaves a server that refuses the capability", REQUIRED,
		ASKED "< :s CAP ebb NAK :sasl\n! sasl the server does not offer it\n"),
	TALK("leaves a server that knows no capabilities", REQUIRED,
		HELLO "< :s 421 ebb CAP :Unknown command\n< :s 001 ebb :hi\n"
		      "! sasl the server welcomes us without a login\n< :s 376 ebb :end\n" NOTHING),
	TALK("leaves a server that welcomes it before the login has ended", REQUIRED,
		BEGUN "< :s 001 ebb :hi\n! sasl the server welcomes us without a login\n"),
	TALK("leaves a server that takes the login back", REQUIRED,
		BEGUN "< :s CAP ebb DEL :sasl\n"
		      "! sasl the server took it back\n"),
	TALK("leaves a server that is silent for 15 seconds", REQUIRED,
		BEGUN "+ 14\n+ 1\n> AUTHENTICATE *\n"
		      "! sasl no answer within 15 s\n" NOTHING),

	/* Without it, where it is not. */
	TALK("goes on, and tries again every five minutes", OPTIONAL,
		WITHOUT "< :ebb!u@h JOIN #a\n+ 299\n+ 1\n" LOGIN SECRET REFUSED "w " BAD
			"+ 299\n+ 1\n" LOGIN SECRET NAMED OK "+ 1000\n"),
	TALK("tries again when it is offered anew", OPTIONAL,
		WITHOUT
		"< :ebb!u@h JOIN #a\n< :s CAP ebb DEL :sasl\n+ 400\n< :s CAP ebb NEW :sasl\n> CAP REQ :sasl\n"
		"< :s CAP ebb ACK :sasl\n" LOGIN SECRET NAMED OK "+ 1000\n"),
	TALK("goes on where it is not offered, until it is", OPTIONAL,
		HELLO
		"< :s CAP * LS :\nw test: sasl: the server does not offer it\n> CAP END\n" JOINED
		"+ 1000\n< :s CAP ebb NEW :sasl\n> CAP REQ :sasl\n< :s CAP ebb ACK :sasl\n" LOGIN),
	TALK("goes on where there are no capabilities", OPTIONAL,
		HELLO "< :s 001 ebb :hi\nw test: sasl: the server welcomes us without a login\n"
		      "< :s 376 ebb :end\n> JOIN #a\n*\n< :ebb!u@h JOIN #a\n+ 1000\n"),
	TALK("goes on where it is taken back", OPTIONAL,
		BEGUN
		"< :s CAP ebb DEL :sasl\nw test: sasl: the server took it back\n> CAP END\n< AUTHENTICATE +\n" WELCOME),
	TALK("goes on after 15 seconds of silence, whatever comes late", OPTIONAL,
		BEGUN "+ 15\n> AUTHENTICATE *\nw test: sasl: no answer within 15 s\n> CAP END\n"
		      "< :s 906 ebb :aborted\n" WELCOME),

	/* The account. */
	TALK("logs in again five minutes after it was logged out", REQUIRED,
		IN
		"< :s 901 ebb ebb!u@h :You are now logged out\nw test: logged out\n+ 299\n+ 1\n" LOGIN
			SECRET NAMED OK "+ 1000\n"),
	TALK("stays where the second login fails", REQUIRED,
		IN "< :s 901 ebb ebb!u@h :You are now logged out\nw test: logged out\n+ 300\n" LOGIN
			SECRET REFUSED "w " BAD "+ 300\n" LOGIN),
	TALK("logs in again when ACCOUNT tells that it is logged out", REQUIRED,
		IN
		"< :ebb!u@h ACCOUNT *\nw test: logged out\n< :other!u@h ACCOUNT *\n+ 300\n" LOGIN),
	TALK("does not log in again where somebody did", REQUIRED,
		IN
		"< :s 901 ebb ebb!u@h :out\nw test: logged out\n+ 100\n< :ebb!u@h ACCOUNT ebb\n+ 1000\n"),
	TALK("tries what wanted an account once it has one", OPTIONAL,
		WITHOUT "< :s 477 ebb #a :log in\n+ 10\n" NAMED "+ 0\n> JOIN #a\n"),
	TALK("stays logged in when it is offered anew", REQUIRED,
		IN
		"< :s CAP ebb DEL :sasl\n< :s CAP ebb NEW :sasl\n> CAP REQ :sasl\n< :s CAP ebb ACK :sasl\n+ 1000\n"),
	TALK("does not believe 900 in a login that fails", OPTIONAL,
		WITHOUT
		"< :s 477 ebb #a :log in\n< :s CAP ebb DEL :sasl\n"
		"< :s CAP ebb NEW :sasl\n> CAP REQ :sasl\n< :s CAP ebb ACK :sasl\n" LOGIN SECRET
			NAMED REFUSED "w " BAD "+ 0\n"),
	TALK("tries what wanted an account when the login has ended", OPTIONAL,
		WITHOUT
		"< :s 477 ebb #a :log in\n< :s CAP ebb DEL :sasl\n"
		"< :s CAP ebb NEW :sasl\n> CAP REQ :sasl\n< :s CAP ebb ACK :sasl\n" LOGIN SECRET
			NAMED "+ 0\n" OK "+ 0\n> JOIN #a\n"),
	TALK("logs in on each connection", REQUIRED, IN "x now\n" IN),

	/* STS. */
	TALK("sends no password before it knows what is offered", NONE | PASSWORD | STS,
		HELD "< :s CAP * LS :chghost\n" LATE "> CAP REQ :chghost\n"),
	TALK("nor before it knows all of it", NONE | PASSWORD | STS,
		HELD
		"< :s CAP * LS * :chghost\n< :s CAP * LS :sts=port=6697\nt 6697 -1\n< PING x\n" NOTHING),
	TALK("sends the password once it knows all of it", NONE | PASSWORD | STS,
		HELD "< :s CAP * LS * :chghost\n+ 3\n< :s CAP * LS :sasl\n" LATE
		     "> CAP REQ :chghost\n"),
	TALK("sends the password where CAP is unknown", NONE | PASSWORD | STS,
		HELD "< :s 421 * CAP :Unknown command\n" LATE "+ 10\n"),
	TALK("sends the password where CAP comes too early", NONE | PASSWORD | STS,
		HELD "< :s 451 * :Register first\n" LATE "+ 10\n"),
	TALK("sends the password after five seconds", NONE | PASSWORD | STS,
		HELD "< PING x\n> PONG :x\n+ 4\n+ 1\n" LATE "+ 10\n"),
	TALK("holds nothing back without a password", NONE | STS, HELLO),
	TALK("holds nothing back over TLS", NONE | PASSWORD | STS | SECURE, HELD LATE),
	TALK("holds nothing back where STS is off", NONE | PASSWORD, HELD LATE),
	TALK("says nothing more once it was told to use TLS", STS,
		HELLO
		"< :s CAP * LS :sasl sts=port=6697,duration=600\nt 6697 600\n< PING x\n< :s 001 ebb :hi\n"
		"< :s CAP ebb NEW :sts=port=1\n" NOTHING),
	TALK("is told so by NEW, too", NONE | STS,
		READY "< :s CAP ebb NEW :sts=port=6697\nt 6697 -1\n< PING x\n" NOTHING),
	TALK("takes no duration from a connection in the clear", NONE | STS,
		HELLO "< :s CAP * LS :sts=duration=600\n> CAP END\n"),
	TALK("tells the duration over TLS, and goes on", NONE | STS | SECURE,
		HELLO "< :s CAP * LS :sts=port=1,duration=600\nt 1 600\n> CAP END\n"
		      "< :s CAP ebb NEW :sts=duration=0\nt 0 0\n< :s CAP ebb DEL :sts\n"),
	TALK("tells nothing of a policy without a duration", NONE | STS | SECURE,
		HELLO "< :s CAP * LS :sts=port=1\n> CAP END\n"),
	TALK("does not mind it where STS is off", NONE,
		HELLO "< :s CAP * LS :sts=port=6697\n> CAP END\n"),
};

static void conversation(void **state)
{
	const struct talk_row *row = *state;
	struct session_options o = talk_options;
	o.ping_interval_ns = 10000000 * NS_PER_S;
	o.register_timeout_ns = 10000000 * NS_PER_S;
	o.sts = row->how & STS;
	o.password = row->how & PASSWORD ? "swordfish" : NULL;
	o.sasl_required = !(row->how & OPTIONAL);
	if (!(row->how & NONE)) {
		o.channels = channels;
		o.n_channels = COUNTOF(channels);
		o.caps.wants_sasl = true;
		o.sasl = (struct sasl_options){.mechanisms = {SASL_PLAIN},
			.n_mechanisms = 1,
			.account = "ebb",
			.password = "pw",
			.allows_plain = true};
	}
	struct talk t;
	talk_begin(&t, &o);
	t.with_warnings = true;
	t.is_secure = row->how & SECURE;

	talk_run(&t, str_of(row->script));

	talk_end(&t);
}

int main(void)
{
	struct check c = {0};
	log_set_level(LOG_WARNING);
	check_rows(&c, rows, conversation);
	return check_run(&c, "login");
}
