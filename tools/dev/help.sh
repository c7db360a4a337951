# SPDX-License-Identifier: Apache-2.0
# What ./dev says about itself.

help_all() {
  cat <<'TEXT'
./dev VERB [argument]…      one front door; every verb installs what it needs and may be repeated

  run    [--port N]         build, make a development certificate and serve https://localhost:8443
  build  [PRESET…|all]      build presets: release (default) debug asan tsan fuzz coverage
  test   [STAGE…]           all stages, or the named ones; --list names them
  check  [--tidy]           what needs no running program: dependency direction, documents, format
  bench  [argument]…        compare with other servers (bench/run)
  fuzz   [TARGET [SECONDS]] run one fuzz target, or each of them
  fmt                       format all sources in place
  docs                      write the generated documents again
  clean                     remove everything that was built or downloaded

./dev help VERB says more. Everything is written below build/.
TEXT
}

help_test() {
  cat <<'TEXT'
./dev test [STAGE…] [--fail-fast] [--list]

Starts the stages in the order in which --list names them (quick ones first), side by side while there are cores for
them (tools/dev/test.sh says what each takes), prints a table at the end, and as its last line `N passed, N failed`. The exit
status is 0 only when nothing failed, every stage could run, and each ran a test.
Skipped cases are counted in the table and in a line before the last. One whose peer is missing has failed wherever ./dev
installs packages, and with CI=1 everywhere.
Each stage's output is kept in build/test/STAGE.log. --fail-fast ends what is running when a stage has failed.

TEXT
  list_stages
  cat <<'TEXT'

`./dev test coverage` is not part of a full run: it prints the coverage of the unit tests by folder.
TEXT
}

show_help() {
  case ${1:-} in
    '') help_all ;;
    test) help_test ;;
    run) say "./dev run [--port N]"; say "Runs the real-time server with its pages and the chat's backend at https://localhost:8443 (or port N) until it is interrupted." ;;
    build) say "./dev build [PRESET…|all]"; say "Presets: $presets. The program is build/release/fairlead." ;;
    check) say "./dev check [--tidy]"; say "The stages deps, docs and format; --tidy adds clang-tidy, over sources and tests." ;;
    bench) say "./dev bench [argument]…"; say "Builds the release and calls bench/run with the arguments." ;;
    fuzz) say "./dev fuzz [TARGET [SECONDS]]"; say "Without a target: each one, for SECONDS (default 20), two at a time. New inputs stay in build/fuzz/corpus." ;;
    fmt) say "./dev fmt"; say "clang-format over all sources, in place." ;;
    docs) say "./dev docs"; say "Writes docs/command-line.md and docs/conformance.md again, from the release build, and the lines of the names in docs/record-layer.md." ;;
    clean) say "./dev clean"; say "Removes build/ and node_modules/." ;;
    *) die "there is no verb '$1'" ;;
  esac
}
