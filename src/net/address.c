#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

void address_format_host(const struct address *a, char text[ADDRESS_TEXT_BYTES])
{
	const struct sockaddr_in6 *in6 = (const void *)&a->sa;
	const struct sockaddr_in *in = (const void *)&a->sa;
	const void *bytes = &in->sin_addr;
	if (a->sa.ss_family == AF_INET6)
		bytes = &in6->sin6_addr;
	if (!inet_ntop(a->sa.ss_family, bytes, text, ADDRESS_TEXT_BYTES))
		snprintf(text, ADDRESS_TEXT_BYTES, "?");
}

void address_format(const struct address *a, char text[ADDRESS_TEXT_BYTES])
{
	char host[ADDRESS_TEXT_BYTES];
	bool is_ipv6 = a->sa.ss_family == AF_INET6;
	const struct sockaddr_in6 *in6 = (const void *)&a->sa;
	const struct sockaddr_in *in = (const void *)&a->sa;
	address_format_host(a, host);
	snprintf(text, ADDRESS_TEXT_BYTES, is_ipv6 ? "[%.46s]:%d" : "%.46s:%d", host,
		ntohs(is_ipv6 ? in6->sin6_port : in->sin_port));
}

bool address_parse(const char *text, uint16_t port, struct address *out)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	*out = (struct address){0};
	if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
		out->n = sizeof(in);
		memcpy(&out->sa, &in, sizeof(in));
	} else if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1) {
		out->n = sizeof(in6);
		memcpy(&out->sa, &in6, sizeof(in6));
	} else {
		return false;
	}
	address_set_port(out, port);
	return true;
}

void address_set_port(struct address *a, uint16_t port)
{
	if (a->sa.ss_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)&a->sa)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)(void *)&a->sa)->sin_port = htons(port);
}

const char *errno_text(int error)
{
	const char *words = strerrordesc_np(error);
	return words ? uncapitalized(words) : "unknown error";
}

const char *uncapitalized(const char *words)
{
	static _Thread_local char text[128];
	snprintf(text, sizeof(text), "%s", words);
	bool is_sentence = text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z';
	if (is_sentence)
		text[0] = (char)(text[0] + ('a' - 'A'));
	return text;
}
