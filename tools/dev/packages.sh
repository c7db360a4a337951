# SPDX-License-Identifier: Apache-2.0
# Debian packages by name, in groups: each verb and stage asks for the groups that it needs, and only what is missing is
# installed. Root is asked for only then.

packages_in() {
  case $1 in
    build) echo g++ cmake ninja-build ccache pkg-config python3 \
      libboost1.81-dev libboost-url1.81-dev libssl-dev zlib1g-dev libc-ares-dev libsodium-dev liburing-dev \
      libcli11-dev libfmt-dev libsimdjson-dev \
      libprotobuf-dev protobuf-compiler librhonabwy-dev libcurl4-openssl-dev libsqlite3-dev libtomlplusplus-dev libsystemd-dev libre2-dev \
      $([[ $(uname -m) == x86_64 ]] && echo libipsec-mb-dev) ;;
    tools) echo python3 ;;
    unit) echo libgtest-dev libgmock-dev ;;
    clang) echo clang-19 lld-19 libclang-rt-19-dev llvm-19 ;;
    format) echo clang-format-19 ;;
    tidy) echo clang-tidy-19 ;;
    peers) echo ca-certificates curl openssl python3 python3-websockets ;;
    browsers) echo chromium chromium-driver firefox-esr webkit2gtk-driver xvfb xauth ;;
    tests/*) # a suite may name packages of its own
      if [[ -f $1/packages.txt ]]; then sed 's/#.*//' "$1/packages.txt"; fi ;;
    nats) echo nats-server ;;
    bench) echo libwebsockets-dev libbenchmark-dev unzip procps ;;
    node) # a newer Node.js that is already there is as good as Debian's
      if ! { command -v node && command -v npm; } >/dev/null; then echo nodejs npm; fi ;;
    *) die "no package group is called '$1'" ;;
  esac
}

# Elsewhere the packages' names mean nothing, and what is missing stays missing.
can_install() { command -v dpkg-query >/dev/null; }

is_installed() {
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "root is needed for: $* (become root, or install sudo)"
  fi
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

# need_packages GROUP…
need_packages() {
  if ! can_install; then
    note "not a Debian system: packages of the groups '$*' are not checked"
    return
  fi
  local group name missing=()
  for group in "$@"; do
    for name in $(packages_in "$group"); do
      is_installed "$name" || missing+=("$name")
    done
  done
  ((${#missing[@]})) || return 0
  note "installing Debian packages: ${missing[*]}"
  # Package lists that are missing or out of date make the first attempt fail; only then are they fetched.
  apt_install "${missing[@]}" >&2 || {
    as_root apt-get update -q >&2
    apt_install "${missing[@]}" >&2
  } || die "could not install: ${missing[*]}"
}

# Debian's package starts a server on port 4222 of the machine. The comparison starts its own, so one that was not here
# before is stopped again.
need_nats() {
  if ! can_install || is_installed nats-server; then return 0; fi
  need_packages nats
  if command -v systemctl >/dev/null; then as_root systemctl disable --now nats-server >&2 || true; fi
}

# npm packages of one folder, when it has any and they are missing or older than the lock file.
need_npm() {
  [[ -f $1/package.json ]] || return 0
  need_packages node
  with_lock "npm-${1//\//-}" npm_install "$1"
}

npm_install() {
  local folder=$1
  local stamp=$folder/node_modules/.package-lock.json
  if [[ ! -f $stamp || $folder/package-lock.json -nt $stamp || $folder/package.json -nt $stamp ]]; then
    note "npm packages of $folder"
    if [[ -f $folder/package-lock.json ]]; then
      (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error)
    else
      (cd "$folder" && npm install --no-audit --no-fund --loglevel=error)
    fi
    touch "$stamp"
  fi
}
