"""Interrupted at any moment, the demo leaves no process and no open port behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.signals import HEEDING

MOMENTS = [
    "starting a local cloud",
    "deploying the platform",
    "started the processor",
    "is here, similarity",
    "the video is over",
]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
@pytest.mark.parametrize("moment", MOMENTS)
def test_nothing_is_left_behind(watched, moment, number):
    demo = watched([sys.executable, "-m", "streamctl", "demo"])
    demo.wait_for_line(moment)
    time.sleep(0.3)  # some way into what that line announces
    ports = ports_of({demo.process.pid, *(pid for pid, _ in demo.descendants.copy())})
    demo.process.send_signal(number)
    code = demo.process.wait(timeout=30)
    assert code == 128 + number
    assert demo.wait_until_gone(within_s=10) == set()
    assert demo.descendants
    assert ports or moment == MOMENTS[0]
    assert not ports & listening()


def test_the_watcher_sees_what_is_left(watched):
    """The control: a process that outlives its parent is found."""
    source = "import subprocess; subprocess.Popen(['sleep', '20'], start_new_session=True); input()"
    parent = watched([sys.executable, "-c", source])
    parent.wait_for(lambda: parent.descendants)
    parent.process.kill()
    parent.process.wait()
    (left,) = parent.wait_until_gone(within_s=0.5)
    os.kill(left[0], signal.SIGKILL)


@pytest.fixture
def watched():
    """Starts a command and watches it and everything that comes of it."""
    started = []

    def start(command):
        started.append(Watched(command))
        return started[-1]

    yield start
    for each in started:
        each.close()


class Watched:
    """A process of which every descendant is known that ever was."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            [*HEEDING, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.descendants = set()
        self.lines = []
        self._threads = [threading.Thread(target=work) for work in (self._read, self._watch)]
        for thread in self._threads:
            thread.start()

    def close(self):
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()
        self.process.stdin.close()
        self.process.stderr.close()

    def wait_for_line(self, text):
        self.wait_for(lambda: any(text in line for line in self.lines))

    def wait_for(self, what, within_s=60):
        deadline = time.monotonic() + within_s
        while not what():
            assert time.monotonic() < deadline, self.lines
            time.sleep(0.02)

    def wait_until_gone(self, within_s):
        """The descendants that are alive after so many seconds."""
        deadline = time.monotonic() + within_s
        while (alive := self.descendants & set(processes())) and time.monotonic() < deadline:
            time.sleep(0.05)
        return alive

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)

    def _watch(self):
        while self.process.poll() is None:
            known = processes()
            family = {self.process.pid}
            for identity, parent in sorted(known.items()):
                if parent in family or identity in self.descendants:
                    family.add(identity[0])
                    if identity[0] != self.process.pid:
                        self.descendants.add(identity)
            time.sleep(0.03)


def processes():
    """Every process, by number and start time (numbers are used again), with its parent."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":
                found[int(entry.name), fields[19]] = int(fields[1])
    return found


def listening():
    """The sockets that listen on this machine, by inode and port."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A":
            found.add((fields[9], int(fields[1].partition(":")[2], 16)))
    return found


def ports_of(pids):
    """Those of the listening sockets that one of these processes holds."""
    inodes = set()
    for pid in pids:
        try:
            links = [str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            continue
        inodes |= {link[8:-1] for link in links if link.startswith("socket:[")}
    return {(inode, port) for inode, port in listening() if inode in inodes}
