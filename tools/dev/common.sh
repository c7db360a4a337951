# SPDX-License-Identifier: Apache-2.0
# Words that every part of ./dev uses: messages, and the order in which two calls of ./dev may use one build folder.

say() { printf '%s\n' "$*"; }
note() { printf '• %s\n' "$*" >&2; }
die() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

# Sources that people write: everything in the tree that is not built or downloaded. NUL-separated, sorted.
project_files() {
  local names=() pattern
  for pattern in "$@"; do names+=(-o -name "$pattern"); done
  find . \( -path ./build -o -path ./.git -o -name node_modules -o -name .cache \) -prune \
    -o -type f \( "${names[@]:1}" \) -printf '%P\0' | sort -z
}

# Runs a command while no other ./dev does the same to one build folder.
with_lock() {
  local name=$1
  shift
  mkdir -p build
  (
    flock --nonblock 9 || {
      note "another ./dev is at work on '$name': waiting for it"
      flock 9
    }
    "$@" 9>&-
  ) 9>"build/.lock-$name"
}
