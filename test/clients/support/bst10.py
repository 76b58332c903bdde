"""Runs BuildStream 1.0 or 1.1.0 to 1.1.3 from a checkout of its source, with a Python that is years younger than it.

Usage: bst10.py CHECKOUT ARGUMENT...
"""

import asyncio
import collections
import collections.abc
import errno
import inspect
import os
import sys

checkout, *arguments = sys.argv[1:]
sys.path.insert(0, checkout)
sys.argv = ["bst", *arguments]

# What Python has moved since 3.5.
for name in ("Mapping", "MutableMapping", "Iterable", "Callable", "Sequence"):
    setattr(collections, name, getattr(collections.abc, name))
os.errno = errno
inspect.getargspec = inspect.getfullargspec

from ruamel.yaml.comments import CommentedMap  # noqa: E402

# Older releases of the YAML library let one delete what is not there.
delete = CommentedMap.__delitem__
CommentedMap.__delitem__ = lambda self, key: delete(self, key) if key in self else None

from buildstream._frontend import cli  # noqa: E402

loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
watcher = asyncio.SafeChildWatcher()
watcher.attach_loop(loop)
asyncio.set_child_watcher(watcher)
cli()
