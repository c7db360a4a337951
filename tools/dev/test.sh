# SPDX-License-Identifier: Apache-2.0
# ./dev test: the list of stages, what each does, and how their results are counted. A stage is a function that ends its
# output with `N passed, N failed[, N skipped]`; it runs in a process of its own with a time limit.

# NAME|MINUTES|CORES|PACKAGE GROUPS|WHAT IT DOES, in the order of a full run: the quick ones first, then what compiles, then the
# suites, of which the longest go first. CORES, what a stage takes of the machine: a number; `all`, it compiles with all of
# them; `rest`, it runs at the lowest priority on what the others leave; `alone`, it measures time.
stages='
deps|2|1|tools|includes point only where ARCHITECTURE.md allows
docs|2|1|tools|links of the documents, snippets equal to compiled examples
format|3|1|tools format|clang-format over all sources, and house rules (tools/check_style)
web|5|1|node|types and unit tests of the pages
unit|30|all|build unit|unit tests beside the code, debug build with g++
tidy|200|rest|build unit clang tidy|clang-tidy over all sources but tests (unchanged ones are remembered)
asan|40|all|build unit clang|unit tests under AddressSanitizer and UndefinedBehaviorSanitizer, clang
tsan|35|all|build unit clang|unit tests under ThreadSanitizer, clang
fuzz|40|all|build unit clang|each fuzz target for 20 seconds, from its corpus
examples|30|all|build peers|each example as a program: servers are spoken to, clients get a server
conformance|20|1|build peers tests/conformance|RFC 6455 and RFC 7692 against the real program, both roles, on each record layer
pages|30|1|build peers node browsers tests/browser|console, admin pages and chat of the real-time server in the same browsers, and its SDK
memcheck|20|1|build unit peers node tests/tls_peers tests/memcheck|no byte that nobody wrote reaches the wire: the program under valgrind, with hostile and unusual TLS records
package|15|1|build clang peers|install, then build outside projects with find_package and pkg-config
crash|10|1|build unit|the durable engine is killed 200 times while it publishes
tls_peers|15|1|build unit peers node tests/tls_peers|TLS stacks of others in both roles, hostile TLS records, and keys that change all the time, on each record layer
browser|15|1|build peers node browsers tests/browser|the secure channel in Chromium, Firefox and WebKit
integration|20|1|build peers node tests/integration|other implementations as peers, both directions, on each record layer
sdk|10|1|build peers node|the official JavaScript SDK against the real-time server, all transports, kill -9 in between
cli|15|1|build peers tests/cli|the command line: statuses, pipes, manual pages, the room
api|3|1|node tests/api|the published description of the HTTP API against a validator of others
timing|10|alone|build|the time for a refused TLS record tells nothing about it (a t-test, with controls)
'
# Not part of a full run.
more_stages='
tidy_tests|40|all|build unit clang tidy|clang-tidy over the tests: part of ./dev check --tidy
coverage|25|all|build unit clang|unit tests with a summary of the lines and branches that they reach
'

stage_names() { sed -n 's/^\([a-z_]*\)|.*/\1/p' <<<"$*"; }
list_stages() { awk -F'|' 'NF == 5 { printf "  %-12s %s\n", $1, $5 }' <<<"$stages"; }
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
  local files complaints failed status=0
  mapfile -d '' files < <(project_files '*.cc' '*.h')
  complaints=$(clang-format-19 --dry-run -Werror "${files[@]}" 2>&1) || status=$?
  [[ -z $complaints ]] || say "$complaints"
  failed=$(sed -n 's/:[0-9]*:[0-9]*: error: .*//p' <<<"$complaints" | sort -u | wc -l)
  ((status == 0 || failed > 0)) || failed=1
  say "$((${#files[@]} - failed)) passed, $failed failed"
}

stage_tidy() {
  build_preset debug fairlead_server_protocol_messages # sources include what is generated here
  tools/tidy --build build/debug --cache build/tidy --jobs "$(nproc)" --tests "${1:-without}"
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
  need_npm tests/sdk
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

# Runs a stage with its time limit and shows its output as it comes, each line behind PREFIX. The log is followed instead
# of piped, so that a process which a test left behind cannot hold this one; and from beside, since bash obeys a signal only
# when what it waits for in front has ended.
stage_output() {
  local stage=$1 prefix=$2 log=build/test/$1.log status=0 pid showing
  : >"$log"
  timeout --kill-after=20 "$(stage_column "$stage" 2)m" \
    bash "$root/dev" run-stage "$stage" >"$log" 2>&1 </dev/null &
  pid=$!
  # shellcheck disable=SC2064
  trap "kill $pid 2>/dev/null; exit 130" HUP INT TERM
  { tail -n +1 -s 0.2 --pid="$pid" -f "$log" 2>/dev/null | sed -u "s/^/$prefix/"; } &
  showing=$!
  wait "$pid" || status=$?
  wait "$showing" || true
  trap - HUP INT TERM
  return "$status"
}

# Sets passed, failed, skipped from the last line of a stage that says so.
read_counts() {
  local line
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "build/test/$1.log" | tail -n 1) || true
  read -r passed failed skipped _ < <(sed -E 's/[^0-9]+/ /g' <<<"${line:-0 0} 0") || true
}

# do_stage STAGE PREFIX: one stage; its counts, seconds and a remark go to build/test/STAGE.result. A stage that broke or ran
# nothing counts as one failure.
do_stage() {
  local stage=$1 started=$SECONDS status=0 passed=0 failed=0 skipped=0 remark=''
  say "── $stage"
  stage_output "$stage" "$2" || status=$?
  read_counts "$stage"
  if ((status == 124 || status == 137)); then
    remark='over its time limit'
  elif ((status != 0 && failed == 0)); then
    remark="ended with status $status"
  elif ((passed + failed == 0)); then
    remark='ran no test'
  fi
  [[ -n $remark ]] && failed=$((failed + 1))
  say "$passed $failed $skipped $((SECONDS - started)) $remark" >"build/test/$stage.result"
  say "── $stage: $passed passed, $failed failed, $skipped skipped, $((SECONDS - started)) s${remark:+ ($remark)}"
  ((failed == 0))
}

# What a stage takes of CORES.
stage_cores() {
  local cores
  cores=$(stage_column "$1" 3)
  case $cores in
    rest) say 0 ;;
    all | alone) say "$2" ;;
    *) say $((cores < $2 ? cores : $2)) ;;
  esac
}

# Cores that stages share. More than a few would be many browsers at once, and containers often have fewer than they see.
cores_to_share() {
  local cores
  cores=$(nproc)
  say $((cores < 4 ? cores : 4))
}

# run_stages FAIL_FAST STAGE…: in their order, side by side while the machine has cores for them. 1 when it broke off.
run_stages() {
  local fail_fast=$1 cores busy=0 stage takes place pid status alone='' prefix=
  local -A stage_of=()
  shift
  cores=$(cores_to_share)
  end_all() {
    ((${#stage_of[@]} == 0)) || kill "${!stage_of[@]}" 2>/dev/null || true
    wait
  }
  # 1: it failed, and that ends the run. They are looked at one by one, since `wait -n` knows nothing of one that ended
  # together with another before it was waited for, and `wait` does.
  one_has_ended() {
    while true; do
      for pid in "${!stage_of[@]}"; do
        kill -0 "$pid" 2>/dev/null || break 2
      done
      sleep 0.1
    done
    status=0
    wait "$pid" || status=$?
    busy=$((busy - $(stage_cores "${stage_of[$pid]}" "$cores")))
    [[ ${stage_of[$pid]} != "$alone" ]] || alone=''
    unset "stage_of[$pid]"
    ((status == 0 || ! fail_fast))
  }
  must_wait() {
    ((${#stage_of[@]} > 0)) && { ((busy + takes > cores)) || [[ $place == alone || -n $alone ]]; }
  }
  trap 'end_all; exit 130' HUP INT TERM
  for stage in "$@"; do
    takes=$(stage_cores "$stage" "$cores") place=$(stage_column "$stage" 3)
    while must_wait; do one_has_ended || { end_all; return 1; }; done
    (($# == 1)) || prefix="$stage: "
    (
      [[ $place != rest || $# == 1 ]] || renice -n 19 -p "$BASHPID" >/dev/null
      do_stage "$stage" "${prefix:-    }"
    ) &
    stage_of[$!]=$stage
    busy=$((busy + takes))
    [[ $place != alone ]] || alone=$stage
  done
  while ((${#stage_of[@]})); do one_has_ended || { end_all; return 1; }; done
  trap - HUP INT TERM
}

# say_totals PASSED FAILED SKIPPED: what was skipped has a line of its own, so that the last one is always the same.
say_totals() {
  (($3 == 0)) || say "$3 skipped: the table says in which stages, and build/test/STAGE.log why"
  say "$1 passed, $2 failed"
}

verb_test() {
  local wanted=() fail_fast=0 stage passed failed skipped seconds remark total_passed=0 total_failed=0 total_skipped=0
  while (($#)); do
    case $1 in
      --list) list_stages; return ;;
      --fail-fast) fail_fast=1 ;;
      -*) die "test: '$1' is not known (./dev help test)" ;;
      *)
        [[ -n $(stage_column "$1" 1) ]] || die "there is no stage '$1' (./dev test --list)"
        [[ " ${wanted[*]} " == *" $1 "* ]] || wanted+=("$1") ;;
    esac
    shift
  done
  ((${#wanted[@]})) || mapfile -t wanted < <(stage_names "$stages")
  mkdir -p build/test
  # Here and not inside the stages: these have no terminal on which root's password could be asked for.
  # shellcheck disable=SC2046
  need_packages $(for stage in "${wanted[@]}"; do stage_column "$stage" 4; done | tr ' ' '\n' | sort -u)
  for stage in "${wanted[@]}"; do rm -f "build/test/$stage".{log,result}; done
  run_stages "$fail_fast" "${wanted[@]}" || true
  say ''
  for stage in "${wanted[@]}"; do
    [[ -f build/test/$stage.log ]] || continue # not reached: --fail-fast
    read -r passed failed skipped seconds remark 2>/dev/null <"build/test/$stage.result" ||
      passed=0 failed=1 skipped=0 seconds=0 remark='broken off'
    total_passed=$((total_passed + passed)) total_failed=$((total_failed + failed)) total_skipped=$((total_skipped + skipped))
    printf '%-12s %6d passed %5d failed %4d skipped %5d s  %s\n' "$stage" "$passed" "$failed" "$skipped" "$seconds" "$remark"
  done
  say ''
  for stage in "${wanted[@]}"; do
    grep -sE '^not ok ' "build/test/$stage.log" | head -n 20 | sed "s/^/$stage: /" || true
  done
  say "$((SECONDS / 60)) min $((SECONDS % 60)) s"
  say_totals "$total_passed" "$total_failed" "$total_skipped"
  ((total_failed == 0 && total_passed > 0))
}
