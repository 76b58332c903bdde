"""Runs bst-artifact-receive of BuildStream 1.0 or 1.1.0 to 1.1.3 from a checkout of its source.

Usage: receive10.py CHECKOUT ARGUMENT...
"""

import collections
import collections.abc
import sys

checkout, *arguments = sys.argv[1:]
sys.path.insert(0, checkout)
sys.argv = ["bst-artifact-receive", *arguments]

# What Python has moved since 3.5.
for name in ("Mapping", "MutableMapping", "Iterable", "Callable", "Sequence"):
    setattr(collections, name, getattr(collections.abc, name))

from buildstream._artifactcache.pushreceive import receive_main  # noqa: E402

receive_main()
