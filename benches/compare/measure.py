"""Runs one command and writes what it used: measure.py RESULT COMMAND…

A process of its own because Linux counts the memory of the process that forks into the
peak of the child, and the process that compares holds a lot of it. Nothing is imported
here that is not needed: this one stays below 10 MiB.
"""

import os
import sys
import time

result, command = sys.argv[1], sys.argv[2:]
started = time.monotonic()
child = os.posix_spawnp(command[0], command, os.environ)
_, status, usage = os.wait4(child, 0)
wall = time.monotonic() - started
with open(result, "w", encoding="ascii") as file:
    print(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss, file=file)
