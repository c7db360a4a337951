# SPDX-License-Identifier: Apache-2.0
# Configuring and building a preset, and the parts that ./dev run needs besides it.

presets='release debug asan tsan fuzz coverage'

packages_for_preset() {
  case $1 in
    release) echo build ;;
    debug) echo build unit ;;
    *) echo build unit clang ;;
  esac
}

# ccache finds the same object again from another clone: paths below the root count as relative. It learns what a source
# includes from the compiler instead of preprocessing it first, and trusts precompiled headers.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1 CCACHE_SLOPPINESS=pch_defines,time_macros

configure_preset() {
  local preset=$1
  # shellcheck disable=SC2046
  need_packages $(packages_for_preset "$preset")
  local log=build/$preset.configure.log
  mkdir -p build
  cmake --preset "$preset" >"$log" 2>&1 || {
    cat "$log" >&2
    die "cannot configure the preset '$preset'"
  }
}

build_locked() {
  local preset=$1
  shift
  configure_preset "$preset"
  cmake --build "build/$preset" --parallel "$(nproc)" -- "$@"
}

# build_preset PRESET [ninja argument]…
build_preset() {
  local preset=$1
  [[ " $presets " == *" $preset "* ]] || die "no preset is called '$preset' (there are: $presets)"
  with_lock "$preset" build_locked "$@"
}

# The release build as other tools rely on it: build/release/fairlead.
release_binary() {
  build_preset release
  [[ -x build/release/fairlead ]] || die "the build made no build/release/fairlead"
}

# The pages, rebuilt when a source of theirs is newer than the last build.
build_web() {
  [[ -f web/package.json ]] || return 0
  need_npm web
  with_lock web build_web_locked
}

build_web_locked() {
  local stamp=build/web/.built
  if [[ -f $stamp ]] && [[ -z $(find web -name node_modules -prune -o -type f -newer "$stamp" -print -quit) ]]; then
    return 0
  fi
  mkdir -p build
  (cd web && npm run build)
  mkdir -p build/web
  touch "$stamp"
}
