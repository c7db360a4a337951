# SPDX-License-Identifier: Apache-2.0
# Running the fuzz targets: each starts from its committed corpus (fuzz/corpus/TARGET) and keeps what it finds in
# build/fuzz. ./dev fuzz builds the preset fuzz, which is the targets alone, optimised; ./dev test fuzz takes those of the
# preset asan, so that one build serves tests and fuzzing.
fuzz_preset=fuzz

fuzz_targets() {
  find "build/$fuzz_preset/fuzz" -maxdepth 1 -type f -executable -printf '%f\n' 2>/dev/null | sort
}

# fuzz_one TARGET SECONDS: 0 when the target found nothing.
fuzz_one() {
  local target=$1 seconds=$2 found=build/fuzz/corpus/$1 crashes=build/fuzz/crashes/$1 seeds=() options=()
  mkdir -p "$found" "$crashes"
  [[ -d fuzz/corpus/$target ]] && seeds=("fuzz/corpus/$target")
  [[ -f fuzz/$target.dict ]] && options=("-dict=fuzz/$target.dict")
  "build/$fuzz_preset/fuzz/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$crashes/" "${options[@]}" "$found" "${seeds[@]}" >"build/fuzz/$target.log" 2>&1
}

# fuzz_reported TARGET SECONDS: one line of result; a failure with the end of its log.
fuzz_reported() {
  local target=$1 seconds=$2 runs
  if fuzz_one "$target" "$seconds"; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$target.log")
    say "ok $target (${runs:-0} runs)"
  else
    tail -n 60 "build/fuzz/$target.log"
    say "not ok $target: the input is in build/fuzz/crashes/$target, the log in build/fuzz/$target.log"
  fi
}

fuzz_all() {
  local seconds=$1 target
  for target in $(fuzz_targets); do
    while (($(jobs -rp | wc -l) >= 2)); do wait -n || true; done
    fuzz_reported "$target" "$seconds" &
  done
  wait
}

verb_fuzz() {
  build_preset "$fuzz_preset"
  if (($#)); then
    [[ -x build/$fuzz_preset/fuzz/$1 ]] || die "no fuzz target is called '$1' (there are: $(fuzz_targets | tr '\n' ' '))"
    fuzz_one "$1" "${2:-60}" || { cat "build/fuzz/$1.log"; die "$1 found a failure"; }
    tail -n 12 "build/fuzz/$1.log"
  else
    fuzz_all 20
  fi
}
