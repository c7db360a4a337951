# SPDX-License-Identifier: Apache-2.0
# ./dev test: the list of stages, what each does, and how their results are counted. A stage is a function that ends its
# output with `N passed, N failed[, N skipped]`; it runs in a process of its own with a time limit.

# NAME|MINUTES|PACKAGE GROUPS|WHAT IT DOES, in the order of a full run: the quick ones first.
stages='
deps|2|tools|includes point only where ARCHITECTURE.md allows
docs|2|tools|links of the documents, snippets equal to compiled examples
format|3|tools format|clang-format over all sources, and house rules (tools/check_style)
web|5|node|types and unit tests of the pages
unit|30|build unit|unit tests beside the code, debug build with g++
crash|10|build unit|the durable engine is killed 200 times while it publishes
tidy|40|build unit clang tidy|clang-tidy over all sources but tests (unchanged ones are remembered)
asan|40|build unit clang|unit tests under AddressSanitizer and UndefinedBehaviorSanitizer, clang
tsan|35|build unit clang|unit tests under ThreadSanitizer, clang
fuzz|40|build unit clang|each fuzz target for 20 seconds, from its corpus
api|3|node tests/api|the published description of the HTTP API against a validator of others
examples|10|build peers|each example as a program: servers are spoken to, clients get a server
cli|15|build peers tests/cli|the command line: statuses, pipes, manual pages, the room
conformance|20|build peers tests/conformance|RFC 6455 and RFC 7692 against the real program, both roles, on each record layer
integration|20|build peers node tests/integration|other implementations as peers, both directions, on each record layer
tls_peers|15|build unit peers node tests/tls_peers|TLS stacks of others in both roles, hostile TLS records, and keys that change all the time, on each record layer
timing|10|build|the time for a refused TLS record tells nothing about it (a t-test, with controls)
memcheck|20|build unit peers node tests/tls_peers tests/memcheck|no byte that nobody wrote reaches the wire: the program under valgrind, with hostile and unusual TLS records
sdk|10|build peers node|the official JavaScript SDK against the real-time server, all transports, kill -9 in between
browser|15|build peers node browsers tests/browser|the secure channel in Chromium, Firefox and WebKit
pages|20|build peers node browsers tests/browser|console, admin pages and chat of the real-time server in the same browsers, and its SDK
package|15|build clang peers|install, then build outside projects with find_package and pkg-config
'
# Not part of a full run.
more_stages='
tidy_tests|40|build unit clang tidy|clang-tidy over the tests: part of ./dev check --tidy
coverage|25|build unit clang|unit tests with a summary of the lines and branches that they reach
'

stage_names() { sed -n 's/^\([a-z_]*\)|.*/\1/p' <<<"$*"; }
list_stages() { awk -F'|' 'NF == 4 { printf "  %-12s %s\n", $1, $4 }' <<<"$stages"; }
# stage_column NAME NUMBER
stage_column() { awk -F'|' -v name="$1" -v column="$2" '$1 == name { print $column }' <<<"$stages$more_stages"; }

# ── The stages ──────────────────────────────────────────────────────────────────────────────────────────────────────

# Runs every command, each of which ends with its counts, and adds these up.
add_up() {
  local command log status=0
  log=$(mktemp build/test/counts.XXXXXX)
  for command in "$@"; do $command 2>&1 | tee -a "$log" || status=1; done
  awk '/^[0-9]+ passed, [0-9]+ failed/ { passed += $1; failed += $3; skipped += $5 }
    END { printf "%d passed, %d failed%s\n", passed, failed, skipped ? ", " skipped " skipped" : "" }' "$log"
  rm -f "$log"
  return "$status"
}

stage_deps() { add_up tools/check_deps_test tools/check_deps; }
stage_docs() { add_up tools/tools_test tools/check_docs; }
stage_format() { add_up clang_format tools/check_style; }

clang_format() {
  local file passed=0 failed=0
  while IFS= read -r -d '' file; do
    if clang-format-19 --dry-run -Werror "$file"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
  done < <(project_files '*.cc' '*.h')
  say "$passed passed, $failed failed"
}

stage_tidy() {
  with_lock debug configure_preset debug
  tools/tidy --build build/debug --cache build/tidy --jobs 2 --tests "${1:-without}"
}
stage_tidy_tests() { stage_tidy only; }

# unit_tests PRESET [ctest argument]…
unit_tests() {
  local preset=$1 results=build/test/$1
  shift
  build_preset "$preset"
  rm -rf "$results"
  mkdir -p "$results/gtest"
  GTEST_OUTPUT=xml:$root/$results/gtest/ GTEST_COLOR=no \
    ctest --test-dir "build/$preset" -L unit -j2 --output-on-failure --no-tests=error --test-output-size-passed 1000000 \
    --output-junit "$root/$results/ctest.xml" "$@" || true
  tools/count_tests "$results/ctest.xml" "$results/gtest"
}

stage_unit() { unit_tests debug; }

stage_crash() {
  build_preset debug
  rm -f build/test/crash.xml
  ctest --test-dir build/debug -L crash --output-on-failure --no-tests=error --output-junit "$root/build/test/crash.xml" || true
  tools/count_tests build/test/crash.xml build/test/crash
}

stage_asan() {
  ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1 \
    LSAN_OPTIONS=suppressions=$root/tools/lsan_suppressions.txt:print_suppressions=0 \
    UBSAN_OPTIONS=print_stacktrace=1 unit_tests asan
}

stage_tsan() { TSAN_OPTIONS=second_deadlock_stack=1:halt_on_error=1 unit_tests tsan; }

stage_fuzz() {
  fuzz_preset=asan
  build_preset asan
  local lines
  lines=$(fuzz_all 20)
  say "$lines"
  say "$(grep -c '^ok ' <<<"$lines" || true) passed, $(grep -c '^not ok ' <<<"$lines" || true) failed"
}

stage_web() {
  need_npm web
  (cd web && npm run --silent typecheck && npm run --silent unit)
  local lines
  lines=$(node --test --test-reporter=tap $(find build/web-unit -name '*_test.js' | sort)) || true
  grep -B2 -A20 '^ *not ok' <<<"$lines" || true
  say "$(sed -n 's/^# pass //p' <<<"$lines") passed, $(sed -n 's/^# fail //p' <<<"$lines") failed"
}

stage_api() {
  need_npm tests/api
  tests/api/run
}

stage_examples() {
  build_preset release
  /usr/bin/python3 tests/examples_run.py build/release/examples
}

# A folder of tests/ with its own runner and words for it, against the release build.
suite() {
  local folder=tests/$1
  shift
  [[ -x $folder/run ]] || die "$folder/run does not exist"
  need_npm "$folder"
  release_binary
  # The packages of the stage are here by now: a case that misses its peer has failed, see tests/support/suite.py.
  local peers=''
  can_install && peers=installed
  FAIRLEAD=$root/build/release/fairlead FAIRLEAD_PEERS=$peers "$folder/run" "$@"
}

stage_cli() { suite cli; }
stage_conformance() { suite conformance; }
stage_integration() { suite integration; }
stage_tls_peers() {
  build_preset debug rekeying_fairlead tls_key_limit
  suite tls_peers
}
stage_timing() {
  build_preset release record_timing
  build/release/tests/timing/record_timing
}
stage_memcheck() {
  build_preset debug tls_test tls_record_test
  suite memcheck
}
stage_sdk() { suite sdk; }
stage_package() { suite package; }
stage_browser() {
  build_web
  suite browser
}

stage_pages() {
  build_web
  need_npm tests/sdk
  add_up pages_and_sdk pages_in_webkit
}
pages_and_sdk() { FAIRLEAD_CASES=console,admin,chat,sdk,crossing suite browser chromium firefox; }
pages_in_webkit() { FAIRLEAD_CASES=console,admin,chat,sdk suite browser webkit; }

stage_coverage() {
  rm -rf build/coverage/profiles
  LLVM_PROFILE_FILE=$root/build/coverage/profiles/%p.profraw unit_tests coverage
  tools/coverage_summary build/coverage
}

# ── Running them ────────────────────────────────────────────────────────────────────────────────────────────────────

run_stage() { "stage_$1"; }

# Runs a stage with its time limit and shows its output as it comes. The log is followed instead of piped, so that a
# process which a test left behind cannot hold this one.
stage_output() {
  local stage=$1 log=build/test/$1.log status=0 pid
  : >"$log"
  timeout --kill-after=20 "$(stage_column "$stage" 2)m" \
    bash "$root/dev" run-stage "$stage" >"$log" 2>&1 </dev/null &
  pid=$!
  # shellcheck disable=SC2064
  trap "kill $pid 2>/dev/null; exit 130" INT TERM
  tail -n +1 -s 0.2 --pid="$pid" -f "$log" 2>/dev/null | sed -u 's/^/    /' || true
  wait "$pid" || status=$?
  trap - INT TERM
  return "$status"
}

# Sets passed, failed, skipped from the last line of a stage that says so.
read_counts() {
  local line
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "build/test/$1.log" | tail -n 1)
  read -r passed failed skipped _ < <(sed -E 's/[^0-9]+/ /g' <<<"${line:-0 0} 0") || true
}

# One stage: adds to the totals and to the table. A stage that broke or ran nothing counts as one failure.
do_stage() {
  local stage=$1 started=$SECONDS status=0 passed=0 failed=0 skipped=0 remark=''
  say "── $stage"
  stage_output "$stage" || status=$?
  read_counts "$stage"
  if ((status == 124 || status == 137)); then
    remark='over its time limit'
  elif ((status != 0 && failed == 0)); then
    remark="ended with status $status"
  elif ((passed + failed == 0)); then
    remark='ran no test'
  fi
  [[ -n $remark ]] && failed=$((failed + 1))
  total_passed=$((total_passed + passed)) total_failed=$((total_failed + failed)) total_skipped=$((total_skipped + skipped))
  table+=$(printf '%-12s %6d passed %5d failed %4d skipped %5d s  %s' "$stage" "$passed" "$failed" "$skipped" \
    $((SECONDS - started)) "$remark")$'\n'
  say "── $stage: $passed passed, $failed failed, $skipped skipped, $((SECONDS - started)) s${remark:+ ($remark)}"
  ((failed == 0))
}

# say_totals PASSED FAILED SKIPPED: what was skipped has a line of its own, so that the last one is always the same.
say_totals() {
  (($3 == 0)) || say "$3 skipped: the table says in which stages, and build/test/STAGE.log why"
  say "$1 passed, $2 failed"
}

verb_test() {
  local wanted=() fail_fast=0 stage table='' total_passed=0 total_failed=0 total_skipped=0
  while (($#)); do
    case $1 in
      --list) list_stages; return ;;
      --fail-fast) fail_fast=1 ;;
      -*) die "test: '$1' is not known (./dev help test)" ;;
      *)
        [[ -n $(stage_column "$1" 1) ]] || die "there is no stage '$1' (./dev test --list)"
        wanted+=("$1") ;;
    esac
    shift
  done
  ((${#wanted[@]})) || mapfile -t wanted < <(stage_names "$stages")
  mkdir -p build/test
  # Here and not inside the stages: these have no terminal on which root's password could be asked for.
  for stage in "${wanted[@]}"; do
    # shellcheck disable=SC2046
    need_packages $(stage_column "$stage" 3)
  done
  for stage in "${wanted[@]}"; do rm -f "build/test/$stage.log"; done
  for stage in "${wanted[@]}"; do
    do_stage "$stage" || { ((fail_fast)) && break; }
  done
  say ''
  printf '%s' "$table"
  say ''
  for stage in "${wanted[@]}"; do
    grep -sE '^not ok ' "build/test/$stage.log" | head -n 20 | sed "s/^/$stage: /" || true
  done
  say_totals "$total_passed" "$total_failed" "$total_skipped"
  ((total_failed == 0))
}
