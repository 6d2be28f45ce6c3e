"""A SOCKS5 proxy (RFC 1928, RFC 1929) that can refuse in every way."""

import contextlib
import os
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from ebbtest import TIMEOUT, at_end, attend  # noqa: E402

NO_METHOD, PASSWORD = 0xff, 2


class Socks5:
    """Carries who connects to the ports of `names`, by name or address; a name that is not among
    them is unknown. With a login, no other is let through. Where `refusal` is set it answers by
    that instead: a REP, or bytes in answer to the greeting (which it then closes), or None for no
    answer at all."""

    CARRIES = object()

    def __init__(self, names, login=None, family=socket.AF_INET):
        self.names = names
        self.login = login
        self.refusal = self.CARRIES
        self.delay = 0  # seconds before it says that it carries
        self.piece = 0  # how many bytes of an answer go at once; 0: all
        self.asked = []  # host and port of each CONNECT
        self.log = []
        self._ends = set()
        address = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        self._listener = socket.create_server((address, 0), family=family)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        at_end(self.close)
        attend(self)

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self):
        """Ends what it carries."""
        for end in list(self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def vouch(self):
        pass

    def story(self):
        return "--- the proxy:\n" + "\n".join(self.log[-40:])

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        near.settimeout(TIMEOUT)
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ends.add(near)
        try:
            far = self._talk(near)
            if far:
                self._join(near, far)
        except (OSError, EOFError) as error:
            self.log.append(f"over: {error}")
        self._ends.discard(near)
        near.close()

    def _read(self, near, count):
        data = b""
        while len(data) < count:
            more = near.recv(count - len(data))
            if not more:
                raise EOFError("closed by the client")
            data += more
        return data

    def _send(self, near, data):
        step = self.piece or len(data)
        for i in range(0, len(data), step):
            near.sendall(data[i:i + step])

    def _wait_closed(self, near):
        while near.recv(4096):
            pass

    def _talk(self, near):
        """The connection to the target, or None after a refusal."""
        refusal = self.refusal
        methods = self._read(near, self._read(near, 2)[1])
        if refusal is None:
            self._wait_closed(near)
            return None
        if isinstance(refusal, bytes):
            near.sendall(refusal)
            return None
        if not self._admits(near, methods):
            return None
        host, port = self._read_request(near)
        self.asked.append((host, port))
        self.log.append(f"CONNECT {host}:{port}")
        if refusal is not self.CARRIES:
            self._reply(near, refusal)
            return None
        if host not in self.names:
            self._reply(near, 4)
            return None
        return self._connect(near, self.names[host])

    def _admits(self, near, methods):
        method = PASSWORD if self.login else 0
        if method not in methods:
            self._send(near, bytes([5, NO_METHOD]))
            return False
        self._send(near, bytes([5, method]))
        if not self.login:
            return True
        user = self._read(near, self._read(near, 2)[1])
        password = self._read(near, self._read(near, 1)[0])
        is_right = (user.decode(), password.decode()) == self.login
        self._send(near, bytes([1, not is_right]))
        return is_right

    def _read_request(self, near):
        kind = self._read(near, 4)[3]
        if kind == 1:
            host = socket.inet_ntop(socket.AF_INET, self._read(near, 4))
        elif kind == 4:
            host = socket.inet_ntop(socket.AF_INET6, self._read(near, 16))
        else:
            host = self._read(near, self._read(near, 1)[0]).decode()
        return host, struct.unpack("!H", self._read(near, 2))[0]

    def _reply(self, near, rep):
        self._send(near, bytes([5, rep, 0, 3, 5]) + b"proxy" + struct.pack("!H", self.port))

    def _connect(self, near, port):
        try:
            far = socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            self._reply(near, 5)
            return None
        time.sleep(self.delay)
        self._reply(near, 0)
        return far

    def _join(self, near, far):
        near.settimeout(None)
        self._ends.add(far)
        back = threading.Thread(target=self._carry, args=(far, near), daemon=True)
        back.start()
        self._carry(near, far)
        back.join()
        self._ends.discard(far)
        far.close()

    def _carry(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
