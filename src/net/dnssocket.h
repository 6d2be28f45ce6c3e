/*
 * dnssocket: the sockets through which c-ares asks.
 *
 * Its own write to a server over TCP as if nobody minded SIGPIPE, which would end a program that
 * embeds ebb. These do as its own do otherwise (ares_set_socket_functions(3)).
 */
#ifndef EBB_NET_DNSSOCKET_H
#define EBB_NET_DNSSOCKET_H

#include <ares.h>

extern const struct ares_socket_functions dnssocket_functions;

#endif
