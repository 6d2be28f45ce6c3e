"""A server for hundreds of bots at a time: one thread, which registers and answers them and notes
when each connected."""

import contextlib
import selectors
import socket
import threading
import time

from ebbtest import at_end


class _Client:
    def __init__(self, sock, at):
        self.sock = sock
        self.at = at  # when it connected
        self.nick = None
        self.bytes = b""


class CrowdServer:
    """Listens from start() to stop(), which closes what is open, on the same port each time."""

    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as sock:
            self.port = sock.getsockname()[1]
        self.dials = []  # (when, nick) of all that said theirs
        self.answered = set()  # the nicks of those that are here and have answered
        self._thread = None
        at_end(self.stop)

    def start(self):
        self.answered.clear()
        self._is_over = False
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=1000)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        if not self._thread:
            return
        self._is_over = True
        self._thread.join()
        self._thread = None
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()

    def _run(self):
        while not self._is_over:
            for key, _ in self._selector.select(0.05):
                if key.data:
                    self._read(key.data)
                else:
                    self._accept()

    def _accept(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                sock, _ = self._listener.accept()
                sock.setblocking(False)
                self._selector.register(sock, selectors.EVENT_READ,
                                        _Client(sock, time.monotonic()))

    def _read(self, client):
        data = b""
        with contextlib.suppress(OSError):
            data = client.sock.recv(65536)
        if not data:
            self._selector.unregister(client.sock)
            client.sock.close()
            self.answered.discard(client.nick)
            return
        *lines, client.bytes = (client.bytes + data).split(b"\r\n")
        for line in lines:
            self._take(client, line.decode(errors="replace"))

    def _take(self, client, line):
        words = line.split() or [""]
        if words[0] == "NICK":
            client.nick = words[1]
            self.dials.append((client.at, client.nick))
        elif words[0] == "USER":
            self._send(client, f":irc.test 001 {client.nick} :welcome",
                       f":irc.test 422 {client.nick} :no MOTD",
                       f":ann!a@irc.test PRIVMSG {client.nick} :are you there?")
        elif words[0] == "PING":
            self._send(client, f":irc.test PONG irc.test {words[1]}")
        elif words[:2] == ["PRIVMSG", "ann"]:
            self.answered.add(client.nick)
        elif words[0] == "QUIT":
            with contextlib.suppress(OSError):
                client.sock.shutdown(socket.SHUT_RDWR)

    def _send(self, client, *lines):
        with contextlib.suppress(OSError):
            client.sock.sendall("".join(line + "\r\n" for line in lines).encode())
