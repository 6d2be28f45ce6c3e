#include "net/dnssocket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

static ares_socket_t open_socket(int family, int type, int protocol, void *data)
{
	const int on = 1;
	(void)data;
	int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (fd >= 0 && type == SOCK_STREAM)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static int close_socket(ares_socket_t fd, void *data)
{
	(void)data;
	return close(fd);
}

static int connect_socket(
	ares_socket_t fd, const struct sockaddr *address, ares_socklen_t n, void *data)
{
	(void)data;
	return connect(fd, address, n);
}

static ares_ssize_t receive(ares_socket_t fd, void *bytes, size_t n, int flags,
	struct sockaddr *from, ares_socklen_t *from_bytes, void *data)
{
	(void)data;
	return recvfrom(fd, bytes, n, flags, from, from_bytes);
}

static ares_ssize_t send_parts(ares_socket_t fd, const struct iovec *parts, int n, void *data)
{
	struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)n};
	(void)data;
	return sendmsg(fd, &m, MSG_NOSIGNAL);
}

const struct ares_socket_functions dnssocket_functions = {
	open_socket, close_socket, connect_socket, receive, send_parts};
