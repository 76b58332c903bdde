"""Runs BuildStream's own cache server: reference-server.py DIRECTORY HOST:PORT"""

import signal
import sys
import threading

from buildstream._cas.casserver import create_server

directory, address = sys.argv[1:]
stop = threading.Event()
with create_server(directory, enable_push=True, quota=50 << 30, index_only=False) as server:
    # Leaving this block in order is what ends the buildbox-casd that it started.
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    server.add_insecure_port(address)
    server.start()
    stop.wait()
    server.stop(None)
