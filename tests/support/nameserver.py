"""A DNS server for tests, over UDP and TCP, that can fail in each way.

`names` says what it does with a name: an Answer, or another thing that takes (question) to the
bytes of a reply, or to None for silence. A name that is not in there does not exist.
"""

import contextlib
import socket
import struct
import threading
import time

from ebbtest import at_end

A, AAAA = 1, 28
_FAMILY = {A: socket.AF_INET, AAAA: socket.AF_INET6}
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5
_IS_RESPONSE, _IS_CUT, _CAN_RECURSE = 0x8000, 0x0200, 0x0080


class Question:
    def __init__(self, data, is_tcp):
        self.data = data
        self.is_tcp = is_tcp
        self.id, self.flags = struct.unpack_from("!HH", data)
        at, labels = 12, []
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode())
            at += 1 + data[at]
        self.name = ".".join(labels).lower()
        self.type, _ = struct.unpack_from("!HH", data, at + 1)
        self.section = data[12:at + 5]

    def reply(self, code=0, addresses=(), flags=0):
        """An answer with those of the addresses that are of the type asked for."""
        packed = []
        for address in addresses:
            with contextlib.suppress(OSError):
                packed.append(socket.inet_pton(_FAMILY.get(self.type, 0), address))
        head = struct.pack("!HHHHHH", self.id,
                           _IS_RESPONSE | _CAN_RECURSE | (self.flags & 0x0100) | flags | code,
                           1, len(packed), 0, 0)
        return head + self.section + b"".join(
            struct.pack("!HHHIH", 0xc00c, self.type, 1, 3600, len(p)) + p for p in packed)


# What can be done with a question.

def answer(*addresses):
    return lambda question: question.reply(addresses=addresses)


def fails(code):
    return lambda question: question.reply(code)


def is_silent(question):
    return None


def garbage(question):
    """The right id, and then nothing that makes sense."""
    return question.data[:2] + b"\x81\x80" + bytes(range(255, 155, -1))


def for_another(question):
    """What would be an answer, were it one to this question."""
    other = Question(question.data, question.is_tcp)
    other.id ^= 1
    return other.reply(addresses=["127.0.0.66", "2001:db8::66"])


def slow(seconds, then):
    def wait(question):
        time.sleep(seconds)
        return then(question)
    return wait


def cut(over_tcp):
    """Over UDP only that the answer is too long for it; what TCP does with it comes after."""
    def truncated(question):
        return over_tcp(question) if question.is_tcp else question.reply(flags=_IS_CUT)
    return truncated


def by_type(**types):
    """One thing for A, another for AAAA."""
    return lambda question: types["AAAA" if question.type == AAAA else "A"](question)


class NameServer:
    """At an address, on port 53."""

    def __init__(self, address):
        self.names = {}
        self.asked = []  # each question's name
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind((address, 53))
        self._tcp = socket.create_server((address, 53))
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()
        at_end(self.close)

    def close(self):
        for sock in (self._udp, self._tcp):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _find(self, question):
        self.asked.append(question.name)
        return self.names.get(question.name, fails(NXDOMAIN))(question)

    def _serve_udp(self):
        with contextlib.suppress(OSError):
            while True:
                data, client = self._udp.recvfrom(4096)
                if data:
                    threading.Thread(target=self._answer, args=(data, client), daemon=True).start()

    def _answer(self, data, client):
        reply = self._find(Question(data, False))
        with contextlib.suppress(OSError):
            if reply is not None:
                self._udp.sendto(reply, client)

    def _serve_tcp(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._tcp.accept()
                threading.Thread(target=self._converse, args=(sock,), daemon=True).start()

    def _converse(self, sock):
        with sock, contextlib.suppress(OSError, struct.error), sock.makefile("rb") as file:
            while True:
                size, = struct.unpack("!H", file.read(2))
                reply = self._find(Question(file.read(size), True))
                if reply is not None:
                    sock.sendall(struct.pack("!H", len(reply)) + reply)
