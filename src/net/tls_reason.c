#include "net/tls_inside.h"

#include <openssl/err.h>

static const struct {
	int reason;
	const char *text;
} handshake_reasons[] = {
	{SSL_R_WRONG_VERSION_NUMBER,         "the server does not speak TLS on this port"      },
	{SSL_R_PACKET_LENGTH_TOO_LONG,       "the server does not speak TLS on this port"      },
	{SSL_R_UNSUPPORTED_PROTOCOL,         "the server offers no TLS 1.2 or newer"           },
	{SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the server offers no TLS 1.2 or newer"           },
	{SSL_R_TLSV1_UNRECOGNIZED_NAME,      "the server has no certificate for this host name"},
};

static const char *known_reason(const struct tls *t, unsigned long error)
{
	for (size_t i = 0; t->terms && i < COUNTOF(handshake_reasons); i++) {
		if (ERR_GET_REASON(error) == handshake_reasons[i].reason)
			return handshake_reasons[i].text;
	}
	return NULL;
}

static int describe(const struct tls *t, unsigned long error, struct err *why)
{
	int alert = ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET;
	const char *known = known_reason(t, error);
	const char *text = ERR_reason_error_string(error);
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

int tls_explain(const struct tls *t, struct err *why)
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
