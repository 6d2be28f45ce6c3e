"""What integration tests share: real servers, scripted servers, people on IRC, and ebbd itself.

A test is a function under @test("a sentence about behaviour"); main() runs all of them and speaks
TAP. What a test starts ends with it, by process id; what a file starts (outside a test) ends with
the file. Nothing sleeps to be right: everything waits for a condition, under a deadline.
"""

import base64
import contextlib
import hashlib
import json
import os
import queue
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EBBD = os.path.join(ROOT, os.environ.get("BUILD", "build"), "ebbd")
EBBCTL = os.path.join(os.path.dirname(EBBD), "ebbctl")
IRCD = os.path.join(ROOT, "tests/support/ircd/ircd.sh")
TIMEOUT = 20  # of one wait: ten times what any of them takes
TEST_TIMEOUT = 90  # of one test
STOP_SECONDS = 5  # what a service manager is promised

with open(EBBD, "rb") as _binary:
    IS_SANITISED = b"__asan_init" in _binary.read()
if IS_SANITISED:
    TIMEOUT *= 2

# None of these may stand in a log.
FAULTS = re.compile(r"(Address|Leak|Thread|UndefinedBehavior)Sanitizer|: runtime error: "
                    r"|lua: error outside|Assertion .* failed|stack smashing")


class Failure(Exception):
    """A test's expectation did not hold."""


class Timeout(BaseException):
    """A test took too long; no handler of errors may swallow it."""


def check(holds, text):
    if not holds:
        raise Failure(text)


def until(condition, what, timeout=TIMEOUT):
    """The first true value of condition()."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < end, f"not within {timeout} s: {what}")
        time.sleep(0.01)


# Tests.

_tests = []
_file = contextlib.ExitStack()
_scope = _file  # where cleaning up is noted: the file's, or the running test's
_witnesses = []  # of the running test: things with a story() for when it fails, and vouch()


def test(sentence):
    def add(function):
        _tests.append((sentence, function))
        return function
    return add


def at_end(function, *args):
    _scope.callback(function, *args)


@contextlib.contextmanager
def for_the_file():
    """What is started in here ends with the file, not with the running test, which does not answer
    for it either."""
    global _scope
    scope, _scope = _scope, _file
    n = len(_witnesses)
    try:
        yield
    finally:
        _scope = scope
        del _witnesses[n:]


def attend(witness):
    """Has the witness vouch at the end of the running test, or tell its story."""
    _witnesses.append(witness)


def folder():
    """A new folder that is removed at the end; open to the user that servers run as."""
    path = tempfile.mkdtemp(prefix="ebbtest.")
    os.chmod(path, 0o755)
    at_end(shutil.rmtree, path, True)
    return path


def _run(function):
    """The error of the test, or None."""
    global _scope
    error = None
    with contextlib.ExitStack() as stack:
        _scope = stack
        signal.alarm(TEST_TIMEOUT)
        try:
            function()
            for witness in _witnesses:
                witness.vouch()
        except (Exception, Timeout) as e:
            error = e
        signal.alarm(0)
        stories = [witness.story() for witness in _witnesses] if error else []
        _witnesses.clear()
        _scope = _file
    return error, stories


def _report(error, stories):
    if isinstance(error, Failure):
        frames = traceback.extract_tb(error.__traceback__)
        lines = [f"{os.path.basename(f.filename)}:{f.lineno}: {f.line}" for f in frames[1:-1]]
        lines.append(str(error))
    else:
        lines = "".join(traceback.format_exception(error)).splitlines()
    for story in stories:
        lines += story.splitlines()
    for line in lines:
        print("# " + line)


def _on_alarm(number, frame):
    raise Timeout(f"the test took more than {TEST_TIMEOUT} s")


def main():
    """Runs the tests, of those in the arguments only; leaves with 1 when one fails."""
    signal.signal(signal.SIGALRM, _on_alarm)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    chosen = [t for t in _tests if not sys.argv[1:] or any(w in t[0] for w in sys.argv[1:])]
    failed = 0
    with _file:
        print(f"1..{len(chosen)}")
        for number, (sentence, function) in enumerate(chosen, 1):
            began = time.monotonic()
            error, stories = _run(function)
            failed += error is not None
            print(f"{'not ok' if error else 'ok'} {number} - {sentence}")
            if error:
                _report(error, stories)
            print(f"# {time.monotonic() - began:.1f} s")
    sys.exit(1 if failed else 0)


# Real servers.

class Ircd:
    """A server of Debian's, on ports that the system chose: kind inspircd, inspircd-atheme or
    inspircd-anope (with these services), ngircd or hybrid; ircd.sh explains the environment."""

    def __init__(self, kind, **environment):
        self.folder = folder()
        self._environment = environment
        at_end(self.stop)
        self._do("start", kind)
        with open(os.path.join(self.folder, "ircd/env"), encoding="ascii") as file:
            facts = dict(line.rstrip("\n").split("=", 1) for line in file)
        self.port = int(facts["PORT"])
        self.tls_port = int(facts["TLSPORT"])
        self.ca = facts["CA"]
        self.fingerprint = facts["FINGERPRINT"]
        self.client_pem = facts["CLIENT_PEM"]
        self.client_fingerprint = facts["CLIENT_FINGERPRINT"]
        self.ecdsa_key = facts["ECDSA_KEY"]

    def _do(self, command, *args):
        r = subprocess.run(["sh", IRCD, command, *args, os.path.join(self.folder, "ircd")],
                           env={**os.environ, **self._environment}, stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=60, check=False)
        check(r.returncode == 0, f"ircd.sh {command}: {r.stderr}")

    def kill(self):
        """kill -9: no farewell to anybody."""
        self._do("kill")

    def restart(self):
        """On the same ports; returns when it answers."""
        self._do("restart")

    def stop(self):
        self._do("stop")

    def stop_services(self):
        """Returns when the server has seen them leave. InspIRCd tells its clients nothing of it."""
        self._do("stop-services")

    def start_services(self):
        """Returns when the server offers SASL again. Accounts are kept."""
        self._do("start-services")

    def register(self, account, password, fingerprint=None, ecdsa=None):
        """Makes an account at the services, for SASL also with the fingerprint, which must be
        client_fingerprint, or with the key in a PEM file."""
        # anope takes no other fingerprint than that of who asks
        person = Person(self, account, tls=True, certificate=fingerprint and self.client_pem)
        person.asks_services("NickServ", f"REGISTER {password} {account}@irc.test", "registered")
        if fingerprint:
            person.asks_services("NickServ", f"CERT ADD {fingerprint}", "added")
        if ecdsa:
            der = subprocess.run(["openssl", "ec", "-in", ecdsa, "-pubout", "-conv_form",
                                  "compressed", "-outform", "DER"],
                                 check=True, capture_output=True, timeout=60).stdout
            point = base64.b64encode(der[-33:]).decode()
            person.asks_services("NickServ", f"SET PUBKEY {point}", "public key|pubkey")
        person.leave()
        _witnesses.remove(person)

    def network(self, *lines, name="irc", tls=False, nick="ebb"):
        """A [network] section for this server, which paces nothing unless told to."""
        section = {"host": "localhost" if tls else "127.0.0.1", "nick": nick, "flood_rate": "0",
                   "port": self.tls_port if tls else self.port, "tls": "yes" if tls else "no"}
        if tls:
            section["tls_ca"] = self.ca
        return network(name, section, lines)


def network(name, section, lines):
    """A [network] section: that of a dict, where lines do not say otherwise."""
    for line in lines:
        key, value = line.split("=", 1)
        section[key.strip()] = value.strip()
    return "\n".join([f"[network {name}]", *(f"{k} = {v}" for k, v in section.items()), ""])


class Link:
    """A way to a real server that can be cut and mended while the server, and the people on it,
    stay: whoever connects while it is cut is refused. Takes the server's place in a network."""

    def __init__(self, ircd):
        self.ca = ircd.ca
        self._ircd = ircd
        self._ends = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.tls_port = self._listener.getsockname()[1]
        self._listen()
        at_end(self.cut)

    network = Ircd.network

    def cut(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(TIMEOUT)
        for end in list(self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self):
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listen()

    def _listen(self):
        self._thread = threading.Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._thread.start()

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._ircd.port))
            self._ends.update((near, far))
            self._join(near, far)

    def _join(self, near, far):
        for pair in ((near, far), (far, near)):
            threading.Thread(target=self._carry, args=pair, daemon=True).start()

    def _carry(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
        self._ends.discard(source)


class Pulse(Link):
    """A link on which the server seems to say PING fifty times a second, from the welcome on. The
    bot's answers end here, and are timed. For one connection at a time."""

    _PERIOD = 0.02

    def __init__(self, ircd):
        self._start()
        super().__init__(ircd)

    def slowest(self):
        """The longest time that an answer took since this was called last."""
        last = len(self._sent)
        until(lambda: self._answered >= last, "PONG")
        slowest, self._slowest = self._slowest, 0.
        return slowest

    def _start(self):
        self._next = None  # when the next PING is due
        self._sent = []  # when each was
        self._answered = 0  # of them
        self._slowest = 0.

    def _join(self, near, far):
        self._start()
        threading.Thread(target=self._beat, args=(near, far), daemon=True).start()

    def _beat(self, near, far):
        rest = {near: b"", far: b""}
        with contextlib.suppress(OSError):
            while self._pass_on(near, far, rest):
                self._ping(near)
        for end in (near, far):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            self._ends.discard(end)

    def _pass_on(self, near, far, rest):
        """What comes until the next PING is due; false at the end."""
        wait = None if self._next is None else max(0., self._next - time.monotonic())
        for source in select.select([near, far], [], [], wait)[0]:
            data = source.recv(65536)
            if not data:
                return False
            *lines, rest[source] = (rest[source] + data).split(b"\r\n")
            if source is near:
                lines = [line for line in lines if not self._is_answer(line)]
            elif self._next is None and any(b" 001 " in line for line in lines):
                self._next = time.monotonic()
            sink = far if source is near else near
            sink.sendall(b"".join(line + b"\r\n" for line in lines))
        return True

    def _ping(self, near):
        now = time.monotonic()
        if self._next is None or now < self._next:
            return
        self._next = now + self._PERIOD
        self._sent.append(now)
        near.sendall(b"PING :pulse-%d\r\n" % len(self._sent))

    def _is_answer(self, line):
        found = re.fullmatch(rb"PONG :?pulse-(\d+)", line)
        if found:
            took = time.monotonic() - self._sent[int(found.group(1)) - 1]
            self._slowest = max(self._slowest, took)
            self._answered = int(found.group(1))
        return bool(found)


# People.

class Person:
    """A client of a real server, for the part of the people that talk to a bot."""

    def __init__(self, ircd, nick, *channels, tls=False, certificate=None, caps="",
                 password=None):
        self.nick = nick
        self.members = {}  # of each channel, by its name
        self.lines = []  # all that came
        self._next = 0  # the first line that no expect has passed
        self._bytes = b""
        port = ircd.tls_port if tls else ircd.port
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        if tls:
            context = ssl.create_default_context(cafile=ircd.ca)
            if certificate:
                context.load_cert_chain(certificate)
            self._socket = context.wrap_socket(self._socket, server_hostname="localhost")
        at_end(self.leave)
        _witnesses.append(self)
        if caps:
            self.send("CAP LS 302", f"CAP REQ :{caps}")
        if password:
            self.send(f"PASS :{password}")
        self.send(f"NICK {nick}", f"USER {nick} 0 * :{nick}")
        if caps:
            self.expect(r" CAP \S+ ACK ")
            self.send("CAP END")
        self.expect(r" (376|422) ")
        for channel in channels:
            self.join(channel)

    def send(self, *lines):
        self._socket.sendall("".join(line + "\r\n" for line in lines).encode())

    def say(self, target, text):
        self.send(f"PRIVMSG {target} :{text}")

    def join(self, channel):
        self.send(f"JOIN {channel}")
        self.expect(rf" 366 {self.nick} {channel} ")

    def expect(self, pattern, timeout=TIMEOUT):
        """The next line that the pattern is found in; those before it are passed."""
        end = time.monotonic() + timeout
        while True:
            while self._next < len(self.lines):
                found = re.search(pattern, self.lines[self._next])
                self._next += 1
                if found:
                    return found
            self._read(end, pattern)

    def hears(self, nick, target, pattern, timeout=TIMEOUT):
        """What nick says next to target, in a PRIVMSG that the whole pattern matches."""
        return self.expect(rf":{re.escape(nick)}!\S+ PRIVMSG {re.escape(target)} :({pattern})$",
                           timeout).group(1)

    def sees(self, nick, channel, timeout=TIMEOUT):
        """Waits until nick is in the channel, where this person is, too."""
        end = time.monotonic() + timeout
        while nick not in self.members.get(channel, ()):
            self._read(end, f"{nick} in {channel}")

    def asks(self, nick, channel, text, pattern):
        """Says text in the channel, where nick answers."""
        self.sees(nick, channel)
        self.say(channel, text)
        return self.hears(nick, channel, pattern)

    def asks_services(self, service, text, pattern):
        """Tells a service something, of whose notices one has the pattern, bold or not."""
        self.say(service, text)
        self.expect(rf"(?i)^(@\S+ )?:{service}!\S+ NOTICE \S+ :.*({pattern})")

    def _read(self, end, what):
        """At least one line more, or a failure."""
        had = len(self.lines)
        while len(self.lines) == had:
            left = end - time.monotonic()
            check(left > 0, f"{self.nick} waited in vain for: {what}")
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                continue
            check(data, f"{self.nick} was disconnected, waiting for: {what}")
            *lines, self._bytes = (self._bytes + data).split(b"\r\n")
            for line in lines:
                self._take(line.decode("utf-8", "surrogateescape"))

    def _take(self, line):
        if line.startswith("PING "):
            self.send("PONG " + line[5:])
            return
        self.lines.append(line)
        _, _, rest = line.rpartition(" :") if " 353 " in line else ("", "", "")
        words = re.sub(r"^@\S+ ", "", line).split()
        nick = words[0].lstrip(":").split("!")[0]
        command, args = words[1], [w.lstrip(":") for w in words[2:]]
        if command == "353":
            self.members.setdefault(args[2], set()).update(
                re.sub("^[~&@%+]+", "", name).split("!")[0] for name in rest.split())
        elif command == "JOIN":
            self.members.setdefault(args[0], set()).add(nick)
        elif command in ("PART", "KICK"):
            self.members.get(args[0], set()).discard(nick if command == "PART" else args[1])
        elif command in ("QUIT", "NICK"):
            for members in self.members.values():
                if nick in members:
                    members.discard(nick)
                    members.update(args[:1] if command == "NICK" else ())

    def leave(self):
        """Returns when the server has let go, so that the nick is free again."""
        with contextlib.suppress(OSError):
            self.send("QUIT")
            self._socket.settimeout(5)
            while self._socket.recv(65536):
                pass
        self._socket.close()

    def vouch(self):
        pass

    def story(self):
        return f"--- what {self.nick} received:\n" + "\n".join(self.lines[-40:])


class Oper(Person):
    """An operator, and what these do to others; but for kill, on InspIRCd only."""

    def __init__(self, ircd, *channels, nick="oper", **options):
        super().__init__(ircd, nick, **options)
        self.send("OPER oper operpass")
        self.expect(f" 381 {nick} ")
        for channel in channels:
            self.join(channel)

    def kill(self, nick, why="enough"):
        self.send(f"KILL {nick} :{why}")

    def change_nick(self, nick, new):
        self.send(f"SANICK {nick} {new}")

    def change_host(self, nick, host):
        self.send(f"CHGHOST {nick} {host}")

    def unload(self, module):
        """Takes a module out of the server, with its capabilities."""
        self.send(f"UNLOADMODULE m_{module}.so")
        self.expect(f" 973 {self.nick} ")

    def load(self, module):
        self.send(f"LOADMODULE m_{module}.so")
        self.expect(f" 975 {self.nick} ")


# The daemon.

_private_environment = ("NOTIFY_SOCKET", "JOURNAL_STREAM", "CREDENTIALS_DIRECTORY",
                        "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR")


def environment(changes):
    kept = {k: v for k, v in os.environ.items() if k not in _private_environment}
    return {**kept, **changes}


def run_ebbd(*args, env=None):
    """Runs ebbd to its end: the exit status, what it wrote to stdout, and to stderr."""
    r = subprocess.run([EBBD, *args], env=environment(env or {}), stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, timeout=TIMEOUT, check=False)
    check(not FAULTS.search(r.stderr), f"a fault: {r.stderr}")
    return r.returncode, r.stdout, r.stderr


def configure(config, scripts=None, reconnect=False):
    """Writes the configuration and the scripts, each loaded, into a new folder; its path. Those
    with a slash in their name are modules.

    The policy that ships is loaded where reconnect says so, and otherwise turned off."""
    place = folder()
    os.mkdir(os.path.join(place, "scripts"))
    path = "scripts"
    if reconnect:
        path += ":" + os.path.join(ROOT, "scripts")
    elif "[script reconnect]" not in config:
        config += "\n[script reconnect]\nenabled = no\n"
    if "[daemon]" not in config:
        config = "[daemon]\nlog_level = debug\n" + config
    config = config.replace("[daemon]", f"[daemon]\nscript_path = {path}", 1)
    for name, source in (scripts or {}).items():
        path = os.path.join(place, "scripts", name + ".lua")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(source)
        if "/" not in name and f"[script {name}]" not in config:
            config += f"\n[script {name}]\nenabled = yes\n"
    with open(os.path.join(place, "ebb.ini"), "w", encoding="utf-8") as file:
        file.write(config)
    return os.path.join(place, "ebb.ini")


class Bot:
    """ebbd, running, with its log."""

    def __init__(self, config, scripts=None, *, reconnect=False, env=None, prepare=None):
        """prepare(folder) is called before it starts, when the files are in their folder."""
        self.log = []
        self._changed = threading.Condition()
        self._log_ended = False
        self._killed = False
        self.config = configure(config, scripts, reconnect)
        if prepare:
            prepare(os.path.dirname(self.config))
        reader, writer = os.pipe()
        pipe = os.fstat(writer)
        changes = {k: v.format(pipe=f"{pipe.st_dev}:{pipe.st_ino}")
                   for k, v in (env or {}).items()}
        with open(writer, "wb") as stderr:
            self.process = subprocess.Popen([EBBD, "-c", self.config], stderr=stderr,
                                            stdin=subprocess.DEVNULL, stdout=stderr,
                                            env=environment(changes))
        self._reader = threading.Thread(target=self._follow, args=(reader,), daemon=True)
        self._reader.start()
        at_end(self._end)
        _witnesses.append(self)

    def _follow(self, reader):
        with open(reader, encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                with self._changed:
                    self.log.append(line.rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._log_ended = True
            self._changed.notify_all()

    def logged(self, pattern):
        """The matches of the pattern in what was read of the log so far, a line each at most."""
        with self._changed:
            lines = list(self.log)
        return [found for found in (re.search(pattern, line) for line in lines) if found]

    def ever_logged(self, pattern):
        """The matches in the whole log, for which the daemon is stopped where it still runs."""
        if self.process.poll() is None:
            self.stop()
        self._reader.join(TIMEOUT)
        return self.logged(pattern)

    def wait_log(self, pattern, timeout=TIMEOUT, count=1):
        """Waits until so many lines match; the last of these matches."""
        end = time.monotonic() + timeout
        with self._changed:
            while True:
                found = [m for m in (re.search(pattern, line) for line in self.log) if m]
                if len(found) >= count:
                    return found[count - 1]
                check(not self._log_ended, f"ebbd ended without logging: {pattern}")
                left = end - time.monotonic()
                check(left > 0, f"not logged within {timeout} s: {pattern}")
                self._changed.wait(left)

    def end_of_log(self):
        """The whole log as one text, once the process is gone."""
        self._reader.join(TIMEOUT)
        return "\n".join(self.log)

    def stop(self, number=signal.SIGTERM, status=0):
        """SIGTERM ends it, within the time that a service manager is promised."""
        check(self.process.poll() is None, "ebbd had ended before it was told to")
        self.process.send_signal(number)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise Failure(f"ebbd did not end within {STOP_SECONDS} s of the signal") from None
        check(self.process.returncode == status,
              f"ebbd ended with {self.process.returncode}, not {status}")

    def kill(self):
        """kill -9: it does not get to do anything about it."""
        self.process.kill()
        self.process.wait()
        self._killed = True

    def vouch(self):
        """What holds for every daemon at the end of its test."""
        if self.process.poll() is None:
            self.stop()
        fault = FAULTS.search(self.end_of_log())
        check(not fault, f"in the log of ebbd: {fault and fault.group()}")
        check(self._killed or self.process.returncode >= 0,
              f"ebbd died of signal {-self.process.returncode}")

    def _end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(TIMEOUT)

    def story(self):
        with self._changed:
            return f"--- ebbd ({self.process.poll()}) logged:\n" + "\n".join(self.log[-60:])


# Its control socket.

def ebbctl(*args, env=None):
    """Runs ebbctl to its end: the exit status, stdout and stderr."""
    r = subprocess.run([EBBCTL, *args], env=environment(env or {}), stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, timeout=TIMEOUT, check=False)
    return r.returncode, r.stdout, r.stderr


class Control:
    """A client of the control socket, which stays connected."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        at_end(self._socket.close)
        self._socket.settimeout(TIMEOUT)
        self._socket.connect(path)
        self._file = self._socket.makefile("rb")
        at_end(self._file.close)
        self._id = 0

    def tell(self, command, **members):
        """Asks, and does not wait for the answer, which comes to answer()."""
        self._id += 1
        request = {"id": self._id, "command": command, **members}
        self._socket.sendall(json.dumps(request).encode() + b"\n")

    def answer(self):
        """The next answer: whether it went well, and the result or the reason."""
        line = self._file.readline()
        check(line, "ebbd closed the control socket")
        reply = json.loads(line)
        return reply["ok"], reply["result"] if reply["ok"] else reply["error"]

    def ask(self, command, **members):
        self.tell(command, **members)
        return self.answer()

    def eval(self, script, lua):
        """What the Lua returns in the script, as text."""
        ok, text = self.ask("eval", script=script, lua=lua)
        check(ok, f"{lua}: {text}")
        return text

    def generations(self):
        """How often each script was loaded, by its name."""
        return {facts["name"]: facts["generation"] for facts in self.ask("scripts")[1]}


# Scripted servers.

def _openssl(place, *args):
    subprocess.run(["openssl", *args], cwd=place, check=True, capture_output=True, timeout=60)


class Certificates:
    """A CA, another CA, and leaves: good, wrong_name and expired of the CA, unknown of the
    other, and self_signed."""

    _curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")

    def __init__(self):
        self._folder = folder()
        os.mkdir(os.path.join(self._folder, "newcerts"))
        for name in ("ca", "other_ca"):
            _openssl(self._folder, "req", "-x509", *self._curve, "-days", "30", "-subj",
                     f"/CN=ebb test {name}", "-keyout", f"{name}.key", "-out", f"{name}.crt")
        _openssl(self._folder, "req", "-x509", *self._curve, "-days", "30", "-subj",
                 "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                 "-keyout", "self_signed.key", "-out", "self_signed.crt")
        with open(self.path("ca.conf"), "w", encoding="ascii") as file:
            file.write("[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\nnew_certs_dir=newcerts\n"
                       "certificate=ca.crt\nprivate_key=ca.key\nrand_serial=yes\n"
                       "default_md=sha256\npolicy=p\ncopy_extensions=copy\n"
                       "unique_subject=no\n[p]\ncommonName=supplied\n")
        with open(self.path("index.txt"), "w", encoding="ascii"):
            pass
        self._leaf("good", "localhost", "DNS:localhost,IP:127.0.0.1")
        self._leaf("wrong_name", "irc.elsewhere.test", "DNS:irc.elsewhere.test")
        self._leaf("expired", "localhost", "DNS:localhost,IP:127.0.0.1",
                   "20200101000000Z", "20210101000000Z")
        self._leaf("unknown", "localhost", "DNS:localhost,IP:127.0.0.1", ca="other_ca")

    def _leaf(self, name, subject, names, start="20240101000000Z", end="20480101000000Z",
              ca="ca"):
        _openssl(self._folder, "req", *self._curve, "-subj", f"/CN={subject}", "-addext",
                 f"subjectAltName={names}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        _openssl(self._folder, "ca", "-batch", "-config", "ca.conf", "-startdate", start,
                 "-enddate", end, "-cert", f"{ca}.crt", "-keyfile", f"{ca}.key",
                 "-in", f"{name}.csr", "-out", f"{name}.crt", "-notext")

    def path(self, name):
        return os.path.join(self._folder, name)

    def fingerprint(self, name):
        """SHA-256 of a certificate, in hex."""
        with open(self.path(name + ".crt"), encoding="ascii") as file:
            der = ssl.PEM_cert_to_DER_cert(file.read())
        return hashlib.sha256(der).hexdigest()


class Peer:
    """One connection that a scripted server has accepted."""

    def __init__(self, sock, record):
        self.socket = sock
        self.nick = None  # once offer has read it
        self._record = record
        self._bytes = b""

    def send(self, *lines):
        self.socket.sendall("".join(line + "\r\n" for line in lines).encode())

    def line(self):
        """The next line, or None at the end."""
        while b"\r\n" not in self._bytes:
            data = self.socket.recv(65536)
            if not data:
                return None
            self._record(data)
            self._bytes += data
        line, self._bytes = self._bytes.split(b"\r\n", 1)
        return line.decode("utf-8", "surrogateescape")

    def expect(self, pattern):
        """The next line that the pattern is found in; PING is answered on the way."""
        while True:
            try:
                line = self.line()
            except TimeoutError:
                raise Failure(f"nothing from ebbd, waiting for: {pattern}") from None
            check(line is not None, f"closed by ebbd, waiting for: {pattern}")
            found = re.search(pattern, line)
            if found:
                return found
            if line.startswith("PING "):
                self.send(":irc.test PONG irc.test " + line[5:])

    def offer(self, caps):
        """Offers these capabilities and grants what is requested of them; those. Ends before the
        first AUTHENTICATE or CAP END, which it leaves to be read."""
        requested = set()
        self.expect("^CAP LS 302$")
        self.send(f":irc.test CAP * LS :{caps}")
        while True:
            line = self.expect("^(NICK|CAP REQ|CAP END|AUTHENTICATE) ?.*").string
            words = line.replace(" :", " ").split()
            if line.startswith("NICK "):
                self.nick = words[1]
            elif line.startswith("CAP REQ "):
                requested.update(words[2:])
                self.send(f":irc.test CAP {self.nick or '*'} ACK :{' '.join(words[2:])}")
            else:
                self._bytes = line.encode("utf-8", "surrogateescape") + b"\r\n" + self._bytes
                return requested

    def welcome(self, *isupport):
        """Lets it register: as a server without capabilities does, or where offer has ended; the
        nick it has then."""
        if self.nick:
            self.expect("^CAP END$")
        else:
            self.nick = self.expect(r"^NICK :?(\S+)").group(1)
            self.expect(r"^USER ")
        self.send(f":irc.test 001 {self.nick} :welcome")
        if isupport:
            self.send(f":irc.test 005 {self.nick} {' '.join(isupport)} :are supported")
        self.send(f":irc.test 422 {self.nick} :no MOTD")
        return self.nick

    def drain(self):
        """Reads until ebbd closes, or says QUIT."""
        line = ""
        while line is not None and not line.startswith("QUIT"):
            line = self.line()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class TlsServer:
    """A server that plays script(peer) for each connection, over TLS with the leaf of that name,
    or in the clear where that is None; up to the TLS version newest; at the address, on
    a port that the system chose where none is given. Where it asks, the bot may show a certificate
    of that CA. `received` is all the application bytes that came."""

    _patience = TIMEOUT  # with the client

    def __init__(self, script, certificates=None, leaf=None, newest=None, address="127.0.0.1",
                 port=0, asks=False):
        self.received = bytearray()
        self.lines = []
        self.connections = 0  # accepted
        self.ended = 0  # of these
        self.handshake_errors = []
        self._script = script
        self._context = None
        self._open = set()
        self._certificates = certificates
        self._is_over = False
        self.fingerprint = certificates.fingerprint(leaf) if leaf else None
        if leaf:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificates.path(leaf + ".crt"),
                                          certificates.path(leaf + ".key"))
        if asks:  # for a certificate, which may be none
            self._context.verify_mode = ssl.CERT_OPTIONAL
            self._context.load_verify_locations(certificates.path("ca.crt"))
        if newest:  # a version, which may be one that OpenSSL has turned off
            self._context.set_ciphers("DEFAULT:@SECLEVEL=0")
            self._context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            self._context.maximum_version = newest
        self._listener = socket.create_server(
            (address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        at_end(self.close)
        _witnesses.append(self)

    def network(self, *lines, name="irc", tls=True, ca="ca", host="localhost"):
        section = {"host": host, "port": self.port, "nick": "ebb", "flood_rate": "0",
                   "tls": "yes" if tls else "no"}
        if tls and ca:
            section["tls_ca"] = self._certificates.path(ca + ".crt")
        return network(name, section, lines)

    def wait_ended(self, count=1):
        """Waits until so many connections are over."""
        until(lambda: self.ended >= count, f"{count} connections to the server are over")

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if self._is_over:
                sock.close()
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _record(self, data):
        self.received += data

    def _choose(self):
        """How the next connection is served: the TLS context or None, and the script."""
        return self._context, self._script

    def _serve(self, sock):
        context, script = self._choose()
        sock.settimeout(self._patience)
        try:
            if context:
                sock = context.wrap_socket(sock, server_side=True)
            self._open.add(sock)
            script(Peer(sock, self._record))
        except ssl.SSLError as error:
            self.handshake_errors.append(str(error))
        except (OSError, Failure):
            pass  # the test sees what ebbd did, or did not
        finally:
            self._open.discard(sock)
            sock.close()
            self.ended += 1

    def close(self):
        self._is_over = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def vouch(self):
        pass

    def story(self):
        return (f"--- the scripted server: {self.connections} connections, {self.ended} over, "
                f"handshakes: {self.handshake_errors}, received:\n"
                + self.received.decode("utf-8", "backslashreplace"))


class ScriptedServer(TlsServer):
    """A server that the test itself plays: accept() gives it one connection after another."""

    def __init__(self, certificates=None, leaf=None):
        self._accepted = queue.Queue()
        super().__init__(None, certificates, leaf)

    def accept(self, timeout=TIMEOUT):
        """The next connection, past the TLS handshake where there is one."""
        try:
            return self._accepted.get(timeout=timeout)
        except queue.Empty:
            raise Failure(f"no connection within {timeout} s") from None

    def network(self, *lines, name="irc", tls=None, ca="ca", host="localhost"):
        """A [network] section: with TLS where the server speaks it, unless told otherwise."""
        return super().network(*lines, name=name, ca=ca, host=host,
                               tls=self.fingerprint is not None if tls is None else tls)

    def _serve(self, sock):
        sock.settimeout(TIMEOUT)
        try:
            if self._context:
                sock = self._context.wrap_socket(sock, server_side=True)
            self._open.add(sock)
            self._accepted.put(Peer(sock, self._record))
        except OSError as error:
            self.handshake_errors.append(str(error))
            sock.close()
            self.ended += 1


class NotifySocket:
    """What a service manager listens on."""

    def __init__(self):
        self.path = os.path.join(folder(), "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        at_end(self._socket.close)

    def receive(self, timeout=TIMEOUT):
        self._socket.settimeout(timeout)
        try:
            return self._socket.recv(4096).decode()
        except TimeoutError:
            raise Failure(f"no notification within {timeout} s") from None

    def expect(self, line):
        """The next message that has the line; those before it are passed."""
        while line not in self.receive().split("\n"):
            pass
