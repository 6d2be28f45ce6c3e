"""Network namespaces of a test file's own, so that it may have a name server, links that go down,
and addresses that nobody else uses. Needs root, or namespaces for users.

enter() comes first in a file: everything in it, ebbd too, then has a loopback of its own, and /etc
is a copy that ends with the process.
"""

import contextlib
import ctypes
import os
import subprocess
import sys
import tempfile

from ebbtest import TIMEOUT, at_end, check

_INSIDE = "EBBTEST_IS_INSIDE"

_libc = ctypes.CDLL(None, use_errno=True)


def enter():
    """Begins the program anew within the namespaces; returns when it is there."""
    if _INSIDE not in os.environ:
        os.environ[_INSIDE] = "yes"
        as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
        os.execvp("unshare", ["unshare", "--net", "--mount", "--propagation", "private", *as_root,
                              sys.executable, *sys.argv])
    run("ip", "link", "set", "lo", "up")
    place = tempfile.mkdtemp(prefix="ebbtest.")
    at_end(os.rmdir, place)
    run("mount", "-t", "tmpfs", "tmpfs", place)
    at_end(run, "umount", "-l", place)
    for name in ("upper", "work"):
        os.mkdir(os.path.join(place, name))
    run("mount", "-t", "overlay", "overlay", "-o",
        f"lowerdir=/etc,upperdir={place}/upper,workdir={place}/work", "/etc")


def run(*command):
    r = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       timeout=TIMEOUT, check=False)
    check(r.returncode == 0, f"{' '.join(command)}: {r.stderr}")


class Elsewhere:
    """Another machine: a namespace at the other end of a link. The link here is `here`, with the
    address NET.1; there it is `there`, with NET.2."""

    def __init__(self, name, net):
        self.here, self.there = name, name + "p"
        self.near, self.address = net + ".1", net + ".2"
        self._process = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec cat"],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        at_end(self._end)
        self._process.stdout.readline()
        self._pid = str(self._process.pid)
        run("ip", "link", "add", "name", self.here, "type", "veth", "peer", "name", self.there,
            "netns", self._pid)
        run("ip", "address", "add", self.near + "/24", "dev", self.here)
        run("ip", "link", "set", self.here, "up")
        self.run("ip", "address", "add", self.address + "/24", "dev", self.there)
        self.run("ip", "link", "set", self.there, "up")

    def run(self, *command):
        run("nsenter", "--net", "--target", self._pid, *command)

    @contextlib.contextmanager
    def sockets(self):
        """Sockets that this thread makes in here are there."""
        with open("/proc/thread-self/ns/net", "rb") as ours, \
                open(f"/proc/{self._pid}/ns/net", "rb") as theirs:
            _set(theirs)
            try:
                yield
            finally:
                _set(ours)

    def _end(self):
        self._process.stdin.close()
        self._process.wait(TIMEOUT)
        self._process.stdout.close()


def _set(namespace):
    check(_libc.setns(namespace.fileno(), 0) == 0, f"setns: {os.strerror(ctypes.get_errno())}")
