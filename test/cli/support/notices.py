"""Listens where a service manager would (sd_notify(3)) and prints each datagram as a line of JSON."""
import array, json, os, socket, sys

server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
print(json.dumps("listening"), flush=True)
while True:
    data, ancillary, _, _ = server.recvmsg(4096, 1024)
    for level, kind, content in ancillary:
        if kind == socket.SCM_RIGHTS:  # BARRIER=1: who sent it waits until this is closed
            for descriptor in array.array("i", content):
                os.close(descriptor)
    print(json.dumps(data.decode()), flush=True)
