"""One moto S3 server on a free loopback port, until SIGTERM or until a process ends.

    moto_serve.py --ready FILE [--while-alive PID]

FILE receives the server's URL once it answers. The port is chosen by the kernel, so
two servers started at the same time never want the same one. With --while-alive the
server ends by itself when that process is gone, so that a test run that is killed
leaves nothing behind.

Authentication is moto's own switch: INITIAL_NO_AUTH_ACTION_COUNT=3 in the environment
lets three calls through and then checks every signature.
"""

import argparse
import os
import signal
import sys
import threading

from moto.server import ThreadedMotoServer


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ready", required=True, help="file that receives the server's URL")
    parser.add_argument("--while-alive", type=int, help="end when this process is gone")
    arguments = parser.parse_args()

    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # Written under another name first: a reader never sees half a URL.
    partial = arguments.ready + ".partial"
    with open(partial, "w", encoding="ascii") as ready:
        ready.write(f"http://{host}:{port}\n")
    os.replace(partial, arguments.ready)

    while not stopping.wait(1.0):
        if arguments.while_alive is not None and not is_alive(arguments.while_alive):
            break
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
