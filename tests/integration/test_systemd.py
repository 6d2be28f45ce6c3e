#!/usr/bin/env python3
"""The daemon as a service of a real systemd: its units, what it tells, and what it may do."""

import contextlib
import ctypes
import functools
import os
import re
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))

from ebbtest import (  # noqa: E402
    FAULTS, IS_SANITISED, ROOT, STOP_SECONDS, TlsServer, at_end, attend, check, environment, folder,
    for_the_file, main, test, until)

BOOTSD = os.path.join(ROOT, "tests/support/bootsd.sh")
SECRET = "correct-horse-battery-staple"
UNITS = "/usr/lib/systemd/system"

# What cannot be as it is for users: a restart and a hang are to be seen soon, and the leak
# checker of sanitizers needs what the unit forbids.
QUICK = "[Service]\nRestartSec=100ms\n"
IMPATIENT = "[Service]\nWatchdogSec=2\n"
SANITISED = "[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n"


class Machine:
    """A systemd with the built daemon installed, and a loopback of its own."""

    def __init__(self):
        self._folder = folder()
        at_end(self._bootsd, "stop")
        self._bootsd("start")
        with open(os.path.join(self._folder, "pid"), encoding="ascii") as file:
            self._pid = int(file.read())
        self.root = f"/proc/{self._pid}/root"
        self.run("rm", "-rf", "/etc/ebb")
        self._install()
        if IS_SANITISED:
            for unit in "ebb", "ebb@":
                self.write(f"/etc/systemd/system/{unit}.service.d/sanitised.conf", SANITISED)
        self.run("systemctl", "daemon-reload")
        self.run("systemd-sysusers")

    def _bootsd(self, command):
        r = subprocess.run(["sh", BOOTSD, command, self._folder], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=60, check=False)
        check(r.returncode == 0, f"bootsd.sh {command}: {r.stderr}")

    def _install(self):
        """What is built already, so that it is built by nobody else's flags."""
        build = os.environ.get("BUILD", "build")
        r = subprocess.run(["make", "install", "-o", f"{build}/ebbd", "-o", f"{build}/ebbctl",
                            "-o", f"{build}/lib/libebb.a", f"BUILD={build}", "PREFIX=/usr", f"DESTDIR={self.root}"], cwd=ROOT,
                           env=environment({"MAKEFLAGS": ""}), stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=60, check=False)
        check(r.returncode == 0, f"make install: {r.stdout}{r.stderr}")

    def attempt(self, *command, stdin=""):
        """Runs a command as root of the machine."""
        return subprocess.run(["sh", BOOTSD, "run", self._folder, *command], input=stdin, text=True,
                              capture_output=True, timeout=60, check=False)

    def run(self, *command, stdin=""):
        """The same, which has to succeed: what it wrote to stdout, without the last newline."""
        r = self.attempt(*command, stdin=stdin)
        check(r.returncode == 0, f"{' '.join(command)}: {r.returncode}: {r.stdout}{r.stderr}")
        return r.stdout.rstrip("\n")

    def attempt_as(self, user, *command):
        return self.attempt("setpriv", "--reuid", user, "--regid", user, "--init-groups",
                            "--reset-env", *command)

    def write(self, path, text, mode=0o644):
        path = self.root + path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)

    def read(self, path):
        with open(self.root + path, encoding="utf-8") as file:
            return file.read()

    @contextlib.contextmanager
    def loopback(self):
        """Sockets that are made in here are on the machine's loopback."""
        with open("/proc/thread-self/ns/net", "rb") as ours, \
                open(f"/proc/{self._pid}/ns/net", "rb") as theirs:
            self._enter(theirs)
            try:
                yield
            finally:
                self._enter(ours)

    def _enter(self, namespace):
        libc = ctypes.CDLL(None, use_errno=True)
        check(libc.setns(namespace.fileno(), 0) == 0, f"setns: {os.strerror(ctypes.get_errno())}")


@functools.cache
def machine():
    with for_the_file():
        return Machine()


class Service:
    """A unit as it stands after the installation, with this configuration; stopped at the end."""

    def __init__(self, config, unit="ebb", scripts=None, drop_ins=None):
        self.unit = unit + ".service"
        self._path = f"/etc/ebb/{unit.rpartition('@')[2]}.ini"
        self.configure(config, scripts)
        at_end(self._clear)
        for name, text in {"quick": QUICK, **(drop_ins or {})}.items():
            machine().write(f"/run/systemd/system/{self.unit}.d/{name}.conf", text)
        machine().run("systemctl", "daemon-reload")
        attend(self)

    def configure(self, config, scripts=None):
        for name, source in (scripts or {}).items():
            machine().write(f"/etc/ebb/scripts/{name}.lua", source)
            config += f"\n[script {name}]\ntrust = full\nfile = scripts/{name}.lua\n"
        machine().write(self._path, config)

    def _clear(self):
        machine().attempt("systemctl", "stop", self.unit)
        machine().attempt("systemctl", "reset-failed", self.unit)
        machine().run("rm", "-rf", f"/run/systemd/system/{self.unit}.d")

    def start(self):
        machine().run("systemctl", "start", self.unit)

    def stop(self):
        machine().run("systemctl", "stop", self.unit)

    def show(self, *names):
        """The values of properties."""
        shown = machine().run("systemctl", "show", "--property", ",".join(names), self.unit)
        values = dict(line.split("=", 1) for line in shown.splitlines())
        return [values[name] for name in names]

    def pid(self):
        return self.show("MainPID")[0]

    def facts(self):
        """Of /proc/PID/status of the main process."""
        lines = machine().run("cat", f"/proc/{self.pid()}/status").splitlines()
        return {key: value.split() for key, _, value in (line.partition(":") for line in lines)}

    def journal(self):
        """What the unit logged since it was started last."""
        return machine().run("journalctl", "--no-pager", "--output=cat",
                           f"_SYSTEMD_INVOCATION_ID={self.show('InvocationID')[0]}")

    def wait_journal(self, pattern):
        return until(lambda: re.search(pattern, self.journal(), re.M), f"in the journal: {pattern}")

    def vouch(self):
        journal = machine().run("journalctl", "--no-pager", "--output=cat", "--unit", self.unit)
        check(not FAULTS.search(journal), "a fault is in the journal")
        check(SECRET not in journal, "the secret is in the journal")

    def story(self):
        return "\n".join(machine().attempt(*command, self.unit).stdout for command in (
            ("systemctl", "--no-pager", "--lines=0", "status"),
            ("journalctl", "--no-pager", "--lines=40", "--unit")))


def make_people():
    """Alice is in the group that controls the daemon, mallory is not."""
    machine().run("systemd-sysusers", "-", stdin="u alice\nm alice ebb\nu mallory\n")


def welcomes(peer):
    peer.welcome()
    peer.drain()


def irc_server(script=welcomes):
    with machine().loopback():
        return TlsServer(script)


@test("systemd-analyze has nothing to say about the units, and finds little that they expose")
def _():
    for unit in "ebb.service", "ebb@.service":
        path = f"{UNITS}/{unit}"
        r = machine().attempt("systemd-analyze", "--man=no", "verify", path)
        check((r.returncode, r.stdout, r.stderr) == (0, "", ""), f"{unit}: {r.stdout}{r.stderr}")
        r = machine().attempt("systemd-analyze", "security", "--no-pager", "--offline=true",
                            "--threshold=15", path)
        check(r.returncode == 0, r.stdout)


@test("it is started once its configuration runs, and its status says how its networks are")
def _():
    server = irc_server()
    service = Service(server.network(tls=False), scripts={"gate": """
        log("waits")
        io.open("/etc/ebb/gate"):close()
    """})
    gate = machine().root + "/etc/ebb/gate"
    os.mkfifo(gate)
    at_end(os.unlink, gate)

    machine().run("systemctl", "start", "--no-block", service.unit)
    service.wait_journal("^script gate: waits$")
    check(service.show("ActiveState") == ["activating"], "it is ready before its scripts")
    with open(gate, "wb"):
        until(lambda: service.show("ActiveState") == ["active"], "the service is started")

    until(lambda: 'Status: "1 of 1 network ready, 2 scripts"'
          in machine().run("systemctl", "--no-pager", "status", service.unit), "the status")


@test("it runs as a user of its own without any privilege, in the group that is there for it")
def _():
    service = Service("")
    service.start()

    facts = service.facts()

    check("0" not in facts["Uid"], f"user: {facts['Uid']}")
    check(machine().attempt("grep", "-q", "^ebbd:", "/etc/passwd").returncode != 0,
          "its user is there for good")
    group = machine().run("getent", "group", "ebb").split(":")[2]
    check(facts["Gid"] == [group] * 4, f"group: {facts['Gid']}, not {group}")
    for name in "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb":
        check(int(facts[name][0], 16) == 0, f"{name}: {facts[name]}")
    check(facts["NoNewPrivs"] == ["1"] and facts["Seccomp"] == ["2"], "it is not confined")


@test("a secret reaches the server from a folder that only root can read, and nobody else")
def _():
    server = irc_server()
    machine().write("/etc/ebb/secrets/server", SECRET + "\n", 0o600)
    at_end(machine().run, "rm", "/etc/ebb/secrets/server")
    service = Service(server.network("server_password_file = server", tls=False))

    service.start()

    service.wait_journal("connected as ebb$")
    check(f"PASS :{SECRET}\r\n".encode() in server.received, "the server did not see it")
    make_people()
    credential = f"/run/credentials/{service.unit}/secret_server"
    for path in "/etc/ebb/secrets/server", credential:
        check(machine().run("cat", path) == SECRET, f"{path}: it is not there")
        r = machine().attempt_as("alice", "cat", path)
        check(r.returncode != 0 and SECRET not in r.stdout, f"{path}: others can read it")


# What a program that the service runs may do, and so what the service may.
PROBES = (
    ("run a program", "date", True),
    ("write to the state", "echo x > $STATE_DIRECTORY/file", True),
    ("write to /tmp", "echo x > /tmp/file", True),
    ("lock a file", "flock $STATE_DIRECTORY/file true", True),
    ("make a socket", "/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_INET6)'", True),
    ("read the configuration", "cat /etc/ebb/ebb.ini", True),
    ("write to the configuration", "echo x > /etc/ebb/file", False),
    ("write to /usr", "echo x > /usr/file", False),
    ("run what it wrote to the state", "cp /bin/true $STATE_DIRECTORY; $STATE_DIRECTORY/true",
     False),
    ("run what it wrote to /tmp", "cp /bin/true /tmp; /tmp/true", False),
    ("see other processes", "kill -0 1 || test -e /proc/1", False),
    ("see people's homes", "ls /root/.", False),
    ("read the secrets' folder", "ls /etc/ebb/secrets", False),
    ("make a namespace", "unshare --user true", False),
    ("be root for a file", "cp /bin/true $STATE_DIRECTORY; chmod u+s $STATE_DIRECTORY/true", False),
    ("talk to the kernel", "/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_NETLINK)'",
     False),
)


@test("what it runs can use the state directory, /tmp and the network, and not much else")
def _():
    lines = [f"( {command} ) > /dev/null 2>&1; echo $?" for _, command, _ in PROBES]
    machine().write("/usr/bin/probes", "#!/bin/sh\n" + "\n".join(lines) + "\n", 0o755)
    service = Service("", drop_ins={"probes": "[Service]\nExecStartPost=/usr/bin/probes\n"})

    service.start()

    results = re.findall(r"^\d+$", service.journal(), re.M)
    check(len(results) == len(PROBES), f"results: {results}")
    for (what, _, may), result in zip(PROBES, results):
        check((result == "0") == may, f"to {what}: {result}")


@test("its scripts get slices of the time, and its state outlives it")
def _():
    service = Service("", scripts={"busy": """
        local path = os.getenv("STATE_DIRECTORY") .. "/count"
        local file = io.open(path)
        local count = file and file:read("n") or 0
        file = assert(io.open(path, "w"))
        file:write(count + 1)
        file:close()
        log(("start %d"):format(count + 1))
        spawn(function()
          local n = 0
          repeat n = n + 1 until n == 1e8
        end)
    """})
    for count in 1, 2:
        service.start()

        service.wait_journal(f"^script busy: start {count}$")
        service.wait_journal("^script busy: .*50 ms")
        service.stop()


def name_server():
    """Answers that every name is 127.0.0.1."""
    with machine().loopback():
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    at_end(listener.close)
    listener.bind(("127.0.0.1", 53))

    def answer():
        with contextlib.suppress(OSError):
            while True:
                query, client = listener.recvfrom(512)
                end = query.index(b"\0", 12) + 5
                is_a = query[end - 4:end - 2] == b"\0\1"
                listener.sendto(
                    query[:2] + b"\x81\x80\0\1\0" + bytes([is_a]) + b"\0\0\0\0" + query[12:end]
                    + (b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if is_a else b""), client)
    threading.Thread(target=answer, daemon=True).start()


@test("it asks the name server that the machine has")
def _():
    name_server()
    machine().run("rm", "-f", "/etc/resolv.conf")
    machine().write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    server = irc_server()
    service = Service(server.network("host = irc.somewhere.test", tls=False))

    service.start()

    service.wait_journal("irc.somewhere.test:.* connected as ebb$")


@test("a reload keeps the connection and the process, and takes the configuration anew")
def _():
    server = irc_server()
    service = Service(server.network(tls=False))
    service.start()
    service.wait_journal("connected as ebb$")
    pid = service.pid()
    service.configure(server.network(tls=False), {"late": 'log("is here")'})

    machine().run("systemctl", "reload", service.unit)

    service.wait_journal("^script late: is here$")
    until(lambda: service.show("ActiveState") == ["active"], "the reload is over")
    check(service.pid() == pid, "it is another process")
    check((server.connections, server.ended) == (1, 0), "the connection was not kept")


@test("a daemon that hangs is ended by the watchdog, and comes back")
def _():
    server = irc_server()
    service = Service(server.network(tls=False), drop_ins={"impatient": IMPATIENT})
    service.start()
    service.wait_journal("connected as ebb$")
    pid = service.pid()

    machine().run("kill", "-STOP", pid)

    until(lambda: service.show("ActiveState", "NRestarts") == ["active", "1"],
          "it is started again")
    check(service.pid() != pid, "it is the same process")
    service.wait_journal("connected as ebb$")
    machine().run("journalctl", "--quiet", "--unit", service.unit, "--grep", "[Ww]atchdog timeout")


@test("however often it dies, it is started again")
def _():
    service = Service("")
    service.start()

    for count in range(1, 7):
        machine().run("kill", "-KILL", service.pid())
        until(lambda: service.show("ActiveState", "NRestarts") == ["active", str(count)],
              f"restart {count}")


@test("a configuration that is at fault is told of, and not tried again")
def _():
    service = Service("[network irc]\nhost = a\nnick = ebb\nhorst = b\n")

    r = machine().attempt("systemctl", "start", service.unit)

    check(r.returncode != 0, "it was started")
    state = service.show("ActiveState", "ExecMainStatus", "NRestarts")
    check(state == ["failed", "78", "0"], f"{state}")
    machine().run("journalctl", "--quiet", "--unit", service.unit, "--grep", "horst")


@test("stop says QUIT to the server, and ends it well within the time that it has")
def _():
    server = irc_server()
    service = Service(server.network(tls=False))
    service.start()
    service.wait_journal("connected as ebb$")
    began = time.monotonic()

    service.stop()

    check(time.monotonic() - began < STOP_SECONDS, "it took too long")
    check(b"\r\nQUIT :" in server.received, "no farewell")
    state = service.show("ActiveState", "Result")
    check(state == ["inactive", "success"], f"{state}")


@test("an instance has its own configuration, user and directories, and stays when others end")
def _():
    servers = irc_server(), irc_server()
    one = Service(servers[0].network(tls=False))
    two = Service(servers[1].network("nick = second", tls=False), unit="ebb@two")

    one.start()
    two.start()

    one.wait_journal("connected as ebb$")
    two.wait_journal("connected as second$")
    check(one.facts()["Uid"] != two.facts()["Uid"], "they are one user")
    for service, name in (one, "ebb"), (two, "ebb-two"):
        for place in "/run", "/var/lib/private":
            owner, mode = machine().run("stat", "--format=%u %a", f"{place}/{name}").split()
            check(owner == service.facts()["Uid"][0], f"{place}/{name} is owned by {owner}")
            check(mode == ("750" if place == "/run" else "700"), f"{place}/{name} has mode {mode}")
    one.stop()
    check(two.show("ActiveState") == ["active"], "both were ended")
    check(os.path.isdir(machine().root + "/run/ebb-two"), "its directory went with the other's")
    check(servers[1].ended == 0, "its connection went with the other's")


@test("members of the group ebb control it, and nobody else")
def _():
    make_people()
    for unit, folder_of, options in (
            ("ebb", "/run/ebb", ()),
            ("ebb@two", "/run/ebb-two", ("-s", "/run/ebb-two/control.sock"))):
        service = Service("", unit=unit)
        service.start()

        mode, group = machine().run("stat", "--format=%a %G", f"{folder_of}/control.sock").split()
        check((mode, group) == ("660", "ebb"), f"{unit}: the socket is {mode}, of {group}")
        r = machine().attempt_as("alice", "ebbctl", *options, "status")
        check(r.returncode == 0 and r.stdout, f"{unit}: for a member: {r.stdout}{r.stderr}")
        r = machine().attempt_as("mallory", "ebbctl", *options, "status")
        check(r.returncode != 0 and not r.stdout, f"{unit}: for others: {r.stdout}{r.stderr}")


def become_root():
    """Nobody else boots a systemd."""
    if os.geteuid() != 0:
        os.execvp("sudo", ["sudo", "-nE", sys.executable, *sys.argv])


become_root()
main()
