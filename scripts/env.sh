# Sourced: puts the checkout's own Node, where there is one, and its tools first in PATH.
PATH="$PWD/.node/bin:$PWD/node_modules/.bin:$PATH"
export PATH
