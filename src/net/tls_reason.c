#include "net/tls_inside.h"

#include <openssl/err.h>

#define ALERT(name) (SSL_AD_REASON_OFFSET + SSL_AD_##name)

#define NO_TLS     "the server does not speak TLS on this port"
#define OLD_TLS    "the server offers no TLS 1.2 or newer"
#define NOT_OURS   "the server does not accept our certificate (tls_cert): "
#define WANTS_OURS "the server wants a certificate of ours: set tls_cert"
#define NOTHING \
	"the server finds no version, cipher or curve in common, or wants a certificate (tls_cert)"
#define WEAK "the server's key exchange is too weak: it needs a newer configuration"

/* Of an alert, which the server sent, or of OpenSSL. */
static const struct reason {
	int reason;
	bool is_late; /* may come when the handshake is over: TLS 1.3's answer to our certificate */
	const char *text;
} reasons[] = {
	{SSL_R_WRONG_VERSION_NUMBER,                 false, NO_TLS                                            },
	{SSL_R_PACKET_LENGTH_TOO_LONG,               false, NO_TLS                                            },
	{SSL_R_UNSUPPORTED_PROTOCOL,                 false, OLD_TLS                                           },
	{ALERT(PROTOCOL_VERSION),                    false, OLD_TLS                                           },
	{ALERT(UNRECOGNIZED_NAME),                   false, "the server has no certificate for this host name"},
	{ALERT(HANDSHAKE_FAILURE),                   false, NOTHING                                           },
	{ALERT(INSUFFICIENT_SECURITY),               false, NOTHING                                           },
	{SSL_R_DH_KEY_TOO_SMALL,                     false, WEAK					      },
	{SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED, false,
         "the server is too old: it knows no secure renegotiation (RFC 5746)"                                 },
	{ALERT(NO_APPLICATION_PROTOCOL),             false,
         "the server refuses the protocol irc (ALPN); the next attempt does not name it"                      },
	{ALERT(CERTIFICATE_REQUIRED),                true,  WANTS_OURS                                        },
	{ALERT(BAD_CERTIFICATE),                     true,  NOT_OURS "it is bad"                              },
	{ALERT(UNSUPPORTED_CERTIFICATE),             true,  NOT_OURS "its kind is not supported"              },
	{ALERT(CERTIFICATE_REVOKED),                 true,  NOT_OURS "it is revoked"                          },
	{ALERT(CERTIFICATE_EXPIRED),                 true,  NOT_OURS "it has expired"                         },
	{ALERT(CERTIFICATE_UNKNOWN),                 true,  NOT_OURS "it is unknown"                          },
	{ALERT(UNKNOWN_CA),                          true,  NOT_OURS "its issuer is unknown"                  },
	{ALERT(ACCESS_DENIED),                       true,  NOT_OURS "it has no access"                       },
};

static const char *known_reason(const struct tls *t, unsigned long error)
{
	for (size_t i = 0; ERR_GET_LIB(error) == ERR_LIB_SSL && i < COUNTOF(reasons); i++)
		if (ERR_GET_REASON(error) == reasons[i].reason && (t->terms || reasons[i].is_late))
			return reasons[i].text;
	return NULL;
}

static int describe(struct tls *t, unsigned long error, struct err *why)
{
	int alert = ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET;
	const char *known = known_reason(t, error);
	const char *text = ERR_reason_error_string(error);
	if (ERR_GET_REASON(error) == ALERT(NO_APPLICATION_PROTOCOL))
		t->refuses_alpn = true;
	if (known)
		return err_set(why, ERR_TLS, "%s", known);
	if (alert >= 0 && ERR_GET_LIB(error) == ERR_LIB_SSL)
		return err_set(
			why, ERR_TLS, "the server says: %s", SSL_alert_desc_string_long(alert));
	return err_set(why, ERR_TLS, "%s", text ? text : "unknown error");
}

static bool is_about_tls(unsigned long error)
{
	return error && ERR_GET_REASON(error) != SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

int tls_explain(struct tls *t, struct err *why)
{
	const char *where = t->terms ? "tls handshake: " : "";
	unsigned long error = ERR_peek_error();
	if (t->terms && t->terms->refusal)
		return err_set(why, ERR_TLS, "%s", t->terms->refusal);
	if (is_about_tls(error))
		return describe(t, error, why);
	if (t->io_errno) {
		struct err io;
		int code = stream_errno(&io, t->io_errno);
		return err_set(why, code, "%s%s", where, io.text);
	}
	if (t->terms)
		return err_set(why, ERR_CLOSED, "tls handshake: closed by the server");
	return err_set(why, ERR_CLOSED, "closed without a TLS close");
}
