"""Runs a cache server of BuildStream's own: old-server.py GENERATION DIRECTORY HOST:PORT, GENERATION being 1, 1.9 or 2"""

import signal
import sys
import threading

generation, directory, address = sys.argv[1:]
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())


def serve(server):
    server.add_insecure_port(address)
    server.start()
    stop.wait()
    server.stop(None)


if generation == "1":
    from buildstream._artifactcache.casserver import create_server

    # No head room to be kept: the disk of a test need not be large.
    serve(create_server(directory, enable_push=True, max_head_size=0, min_head_size=0))
else:
    from buildstream._cas.casserver import create_server

    # Leaving this block in order is what ends the buildbox-casd that it started.
    with create_server(directory, enable_push=True, quota=50 << 30, index_only=False) as started:
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        serve(started)
