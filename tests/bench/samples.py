"""A daemon's processes and log, looked at again and again -> what grows in them."""

import collections
import contextlib
import os
import re
import time

import numpy as np

import hotcut

# Of so many looks in a row the least memory counts: what a process holds of the photo in work is no growth.
LOOKS_EACH = 6
SOURCE = re.compile(r'source="([^"]+)"')


class Samples:
    """Memory (VmRSS) and open files of the daemon and of each worker, over time."""

    def __init__(self, pid):
        self.pid = pid
        # Process -> rows of (seconds, MiB, open files).
        self.rows = collections.defaultdict(list)
        self.deaths = 0
        self.workers = set()

    def take(self):
        now_s = time.monotonic()
        members = hotcut.family(self.pid)
        for pid in members:
            # A worker may end at any moment.
            with contextlib.suppress(OSError, KeyError):
                files = len(os.listdir(f"/proc/{pid}/fd"))
                self.rows[pid].append((now_s, hotcut.status_mib(pid, "VmRSS"), files))
        workers = members - {self.pid}
        self.deaths += len(self.workers - workers)
        self.workers = workers

    def second_half(self, pid):
        """The rows of a process in the second half of the run: what starting up takes is no growth."""
        rows = self.rows[self.pid]
        middle_s = (rows[0][0] + rows[-1][0]) / 2
        return np.array([row for row in self.rows[pid] if row[0] >= middle_s])

    def memory_growth_per_hour(self, pid):
        """Slope in the second half of the MiB that the process never gives back; 0 for one that was there too briefly."""
        rows = self.second_half(pid)
        parts = np.array_split(rows, max(1, len(rows) // LOOKS_EACH))
        return slope_per_hour(np.array([part[part[:, 1].argmin()] for part in parts]), 1)

    def files_growth_per_hour(self, pid):
        """Slope of the number of open files in the second half."""
        return slope_per_hour(self.second_half(pid), 2)

    def memory_range(self, pid):
        rows = self.second_half(pid)
        return rows[:, 1].min(), rows[:, 1].max()


def slope_per_hour(rows, column):
    """By least squares; 0 for fewer than three rows."""
    if len(rows) < 3:
        return 0.0
    slope = np.polyfit(rows[:, 0] / 3600, rows[:, column], 1)[0]
    # The sum turns a rounded -0.0 into 0.0.
    return round(float(slope), 1) + 0.0


class Log:
    """The daemon's log, read as it grows: how often each photo was done, and the lines that tell of no photo."""

    def __init__(self, path):
        self.file = open(path, encoding="utf-8")
        self.done = collections.Counter()
        self.lines = 0
        self.other = []

    def read(self):
        while line := self.file.readline():
            self.lines += 1
            source = SOURCE.search(line)
            if source is None:
                self.other.append(line.strip())
            elif " cut out " in line:
                self.done[source[1]] += 1
