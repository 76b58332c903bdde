"""Pushes commits of an OSTree repository as BuildStream 1.0 does, and in ways in which nobody should.

Usage: ostree-pusher.py [options] REPO REF... -- COMMAND...
COMMAND is what speaks to the receiver: `ssh HOST bst-artifact-receive PATH`. Without a REF it only says hello.
Prints what came of it as a line of JSON. Exits with 0 in every case: who asks decides what should have come.
"""

import argparse
import io
import json
import os
import struct
import subprocess
import sys
import tarfile
import zlib

import gi

gi.require_version("OSTree", "1.0")
from gi.repository import Gio, GLib, OSTree  # noqa: E402

TYPES = ["info", "update", "putobjects", "status", "done"]
UNKNOWN = "0" * 64


def variant(value):
    """GLib's bytes of it, in the byte order of this machine: little-endian in these tests."""
    return value.get_data_as_bytes().get_data()


class Receiver:
    def __init__(self, command, big_endian):
        self.big_endian = big_endian
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def send(self, kind, args):
        value = GLib.Variant("a{sv}", args)
        order = b"l"
        if self.big_endian:
            value, order = value.byteswap(), b"B"
        body = variant(value)
        size = len(body).to_bytes(2, "big" if self.big_endian else "little")
        self.process.stdin.write(order + bytes([1, TYPES.index(kind)]) + size + body)
        self.process.stdin.flush()

    def receive(self):
        header = self.process.stdout.read(5)
        if len(header) < 5:
            return None, {}
        size = int.from_bytes(header[3:], "little" if header[:1] == b"l" else "big")
        body = GLib.Bytes.new(self.process.stdout.read(size))
        args = GLib.Variant.new_from_bytes(GLib.VariantType.new("a{sv}"), body, False)
        assert args.is_normal_form() and header[1] == 1
        return TYPES[header[2]], args.unpack()


def objects_of(repo, commits):
    """Names and paths of all that commits need, as an archive repository has them."""
    root = repo.get_path().get_path()
    names = {}
    for commit in commits:
        _, reachable = repo.traverse_commit(commit, 0, None)
        for checksum, kind in (each.unpack() for each in reachable):
            name = OSTree.object_to_string(checksum, kind) + ("z" if kind == OSTree.ObjectType.FILE else "")
            names[name] = os.path.join(root, "objects", name[:2], name[2:])
    return names


def filez(size, deflated):
    """A file object of mode 0644 whose header says that it has `size` bytes."""
    header = struct.pack(">QIIII", size, 0, 0, 0o100644, 0) + b"\0" + b"\x19"
    return struct.pack(">II", len(header), 0) + header + deflated


def spoiled(fault, members):
    """The members with something wrong among them."""
    names = [name for name in members if name.endswith(".filez")]
    trees = [name for name in members if name.endswith(".dirtree")]
    if fault == "missing-file":
        del members[names[0]]
    elif fault == "missing-tree":
        del members[trees[-1]]
    elif fault == "swapped-files":
        members[names[0]] = members[names[1]]
    elif fault == "spoiled-tree":
        members[trees[0]] = members[trees[0]][:-1] + b"\xff"
    elif fault == "trailing-bytes":
        members[names[0]] += b"more"
    elif fault == "bomb":
        deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
        zeros = bytes(1 << 20)
        bomb = b"".join(deflater.compress(zeros) for _ in range(200)) + deflater.flush()
        members["ab" * 32 + ".filez"] = filez(10, bomb)
    elif fault == "honest-bomb":
        deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
        bomb = b"".join(deflater.compress(bytes(1 << 20)) for _ in range(100)) + deflater.flush()
        members["ab" * 32 + ".filez"] = filez(100 << 20, bomb)
    elif fault.startswith("name:"):
        members[fault[len("name:"):]] = b"x"
    elif fault == "loose-file":
        members["12" * 32 + ".filez"] = filez(0, b"\3\0")
    else:
        raise SystemExit("unknown fault " + fault)


class Cut(Exception):
    pass


class CuttingFile:
    """Ends the connection after so many bytes of the archive."""

    def __init__(self, receiver, left):
        self.receiver, self.left = receiver, left

    def write(self, data):
        part = data[: self.left]
        self.receiver.process.stdin.write(part)
        self.left -= len(part)
        if self.left == 0:
            self.receiver.process.stdin.flush()
            self.receiver.process.kill()
            raise Cut


def put_objects(receiver, members, options):
    receiver.send("putobjects", {})
    stream = receiver.process.stdin if options.cut is None else CuttingFile(receiver, options.cut)
    tar = tarfile.open(mode="w|", fileobj=stream, format=tarfile.GNU_FORMAT if options.gnu else tarfile.PAX_FORMAT)
    for name, source in members.items():
        info = tarfile.TarInfo(name)
        if isinstance(source, bytes):
            info.size = len(source)
            tar.addfile(info, io.BytesIO(source))
        else:
            status = os.stat(source)
            info.size, info.mtime = status.st_size, status.st_mtime
            with open(source, "rb") as file:
                tar.addfile(info, file)
    if options.fault == "symlink":
        info = tarfile.TarInfo("cd" * 32 + ".filez")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    if options.fault == "unfinished":
        receiver.process.stdin.flush()
        return
    tar.close()


def push(receiver, options, refs):
    said = {}
    repo = OSTree.Repo.new(Gio.File.new_for_path(options.repo))
    repo.open(None)
    mode = GLib.Variant("i", 1 if refs else 0)
    receiver.send("info", {"mode": mode, "refs": GLib.Variant("a{ss}", {}), "later": GLib.Variant("t", 1)})
    kind, args = receiver.receive()
    said["info"] = args if kind == "info" else None
    if kind != "info":
        return said
    if not refs:
        receiver.send("done", {})
        return said
    commits = {ref: repo.resolve_rev(ref, False)[1] for ref in refs}
    old = options.old if options.old is not None else UNKNOWN
    receiver.send("update", {ref: GLib.Variant("(ss)", (old, commits[ref])) for ref in refs})
    kind, said["status"] = receiver.receive()
    if kind != "status" or not said["status"]["result"]:
        if kind == "status":
            receiver.send("done", {})
        return said
    members = objects_of(repo, set(commits.values()))
    said["objects"] = len(members)
    if options.fault is not None and options.fault not in ("symlink", "unfinished"):
        for name, path in list(members.items()):
            with open(path, "rb") as file:
                members[name] = file.read()
        spoiled(options.fault, members)
    put_objects(receiver, members, options)
    if options.fault != "unfinished":
        receiver.send("done", {})
        said["done"] = receiver.receive()[0] == "done"
    return said


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gnu", action="store_true", help="headers as Python before 3.8 writes them")
    parser.add_argument("--big-endian", action="store_true")
    parser.add_argument("--old", help="the commit that the refs are to be from")
    parser.add_argument("--fault")
    parser.add_argument("--cut", type=int, help="kill the command after so many bytes of the archive")
    parser.add_argument("repo")
    parser.add_argument("refs", nargs="*")
    split = sys.argv.index("--")
    options = parser.parse_args(sys.argv[1:split])
    receiver = Receiver(sys.argv[split + 1:], options.big_endian)
    said = {}
    try:
        said = push(receiver, options, options.refs)
    except (BrokenPipeError, ConnectionResetError, Cut) as error:
        said["broken"] = type(error).__name__
    if options.refs:
        # A client only waits for the end after a hello; it must come without this.
        try:
            receiver.process.stdin.close()
        except BrokenPipeError:
            pass
    said["exit"] = receiver.process.wait(timeout=60)
    said["stderr"] = receiver.process.stderr.read().decode()
    print(json.dumps(said))


main()
