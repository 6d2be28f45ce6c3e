"""Servers that break in one way, again and again, and are well in between; and what they do.

A fault is a function of the connection (a Peer) that has come; what was agreed on by then is up to
it. Ends of a phase are faults of their own: reset, close, silent.
"""

import contextlib
import ctypes
import os
import socket
import ssl
import struct
import time

from ebbtest import IS_SANITISED, TEST_TIMEOUT, Peer, TlsServer, check, until

_libc = ctypes.CDLL(None, use_errno=True)

# What a script has to do in the tests of faults: it says the kind of each failure, brings the
# network back at once (so at the pace of the guard), and answers.
KEEPER = """
local function tell(network, kind, reason)
  log.info("%s: kind %s: %s", network, kind, reason)
end

on("client_disconnect", function(ev)
  tell(ev.network, ev.kind, ev.reason)
  if ev.requested then return end
  repeat
    local ok, reason, kind = connect(ev.network)
    if not ok then tell(ev.network, kind, reason) end
  until ok or kind == "requested"
end)
"""

# The same with the policy that ships.
WITNESS = """
on("client_disconnect", function(ev)
  log.info("%s: kind %s: %s", ev.network, ev.kind, ev.reason)
end)
"""

ANSWERER = """
on("privmsg", { match = "^are you there" }, function(ev)
  log.info("heard: %s", ev.message)
  ev:reply("here")
end)
on("privmsg", { match = "^pour$" }, function(ev)
  while true do ev:reply(string.rep("x", 400)) end
end)
"""


def raw(peer):
    """The socket below TLS, which goes no further."""
    if isinstance(peer.socket, ssl.SSLSocket):
        peer.socket = socket.socket(fileno=peer.socket.detach())
        peer.socket.settimeout(TEST_TIMEOUT)
    return peer.socket


def reset(peer):
    sock = raw(peer)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def abort(sock):
    """An RST, also where another thread waits for the socket, whose wait ends."""
    unspecified = bytes(16)  # an address of AF_UNSPEC disconnects
    check(_libc.connect(sock.fileno(), unspecified, len(unspecified)) == 0, "connect(AF_UNSPEC)")


def close(peer):
    """As a server that ends: over TLS with a close_notify, which ebbd answers."""
    if isinstance(peer.socket, ssl.SSLSocket):
        peer.socket = peer.socket.unwrap()
    peer.close()


def truncate(peer):
    raw(peer).close()


def silent(peer):
    """Says nothing more; ends when ebbd does."""
    peer.socket.settimeout(TEST_TIMEOUT)
    with contextlib.suppress(OSError):
        while peer.socket.recv(65536):
            pass


def converse(peer):
    """What a bot that is well has to do: to register, and to answer."""
    peer.welcome()
    peer.send(f":ann!a@irc.test PRIVMSG {peer.nick} :are you there?")
    peer.expect("^PRIVMSG ann :here$")


def server_context(certificates, leaf, newest=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.path(leaf + ".crt"), certificates.path(leaf + ".key"))
    if newest:
        context.maximum_version = newest
    return context


class FaultyServer(TlsServer):
    """Breaks the next connections by fault(peer), as often as said; then it is well, holds the
    connection, and counts in `answers` how often that was so.

    In the fault it speaks TLS with the leaf of that name (None: what fault does is on the bare
    socket); when it is well, with the leaf "good" where there are certificates."""

    _patience = TEST_TIMEOUT

    def __init__(self, fault, certificates=None, leaf=None, newest=None):
        self.answers = 0
        self._fault = fault
        self._faults_left = 1
        self._held = None
        super().__init__(None, certificates, "good" if certificates else None)
        self._fault_context = (server_context(certificates, leaf, newest)
                               if leaf else None)

    def network(self, *lines, name="irc", **options):
        return super().network(*lines, name=name, tls=self._context is not None, **options)

    def again(self, times):
        """Ends the connection that is held; so many of the next ones break."""
        self._faults_left = times
        self._held.close()

    def wait_answers(self, count, name):
        until(lambda: self.answers >= count, f"{name}: the bot is back and answers", TEST_TIMEOUT)

    def _choose(self):
        is_faulty = self._faults_left > 0
        self._faults_left -= is_faulty
        return (self._fault_context, self._fault) if is_faulty else (self._context, self._hold)

    def _hold(self, peer):
        converse(peer)
        self._held = peer
        self.answers += 1
        peer.expect("^QUIT")


class Drip:
    """The server's end of a connection whose bytes reach ebbd one at a time; over TLS where a
    context is given. Takes the place of a socket in a Peer."""

    _PAUSE = 0.0002  # so that the bytes come apart

    def __init__(self, sock, context=None):
        self._socket = sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context and context.wrap_bio(self._in, self._out, server_side=True)
        if self._tls:
            self._do(self._tls.do_handshake)

    def sendall(self, data):
        if self._tls:
            self._do(self._tls.write, data)
        else:
            self._pour(data)

    def recv(self, size):
        return self._do(self._tls.read, size) if self._tls else self._socket.recv(size)

    def _do(self, step, *args):
        while True:
            try:
                result = step(*args)
            except ssl.SSLWantReadError:
                self._pour(self._out.read())
                data = self._socket.recv(65536)
                check(data, "closed by ebbd")
                self._in.write(data)
                continue
            self._pour(self._out.read())
            return result

    def _pour(self, data):
        for byte in data:
            self._socket.sendall(bytes((byte,)))
            time.sleep(self._PAUSE)


class Usage:
    """What a daemon has of descriptors and memory."""

    def __init__(self, bot):
        self.descriptors = len(os.listdir(f"/proc/{bot.process.pid}/fd"))
        with open(f"/proc/{bot.process.pid}/status", encoding="ascii") as file:
            facts = dict(line.split(":", 1) for line in file)
        self.kilobytes = int(facts["VmRSS"].split()[0])
        self.peak_kilobytes = int(facts["VmHWM"].split()[0])

    def check_descriptors(self, before):
        check(self.descriptors == before.descriptors,
              f"{before.descriptors} descriptors have become {self.descriptors}")

    def check_memory(self, before, margin_kilobytes):
        """A sanitizer keeps what is freed."""
        grown = self.kilobytes - before.kilobytes
        check(IS_SANITISED or grown <= margin_kilobytes, f"{grown} KB more")


class Witness:
    """The log of one network of many, for when its test fails."""

    def __init__(self, bot, network):
        self._bot = bot
        self._network = network

    def vouch(self):
        pass

    def story(self):
        lines = [found.string for found in self._bot.logged(rf" {self._network}: ")]
        return "\n".join(lines[-40:])
