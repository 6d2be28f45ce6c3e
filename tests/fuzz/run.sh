#!/bin/sh
# run.sh: runs the built fuzz targets one after the other, each for FUZZ_SECONDS (60) or, where that
# is set, for FUZZ_RUNS executions, and tells how many executions there were. What a target grows,
# says and finds is under $BUILD: corpus/NAME, NAME.log, and NAME-crash-... or the like, an input
# that the target takes as an argument. A finding does not keep the others from running.
# FUZZ=PATTERN runs only the targets whose name matches it.
set -u
BUILD=${BUILD:-build/fuzz}
failed=0 n=0

if [ -n "${FUZZ_RUNS:-}" ]; then
	limit=-runs=$FUZZ_RUNS
else
	limit=-max_total_time=${FUZZ_SECONDS:-60}
fi

# stat NAME: a figure of those that libFuzzer prints at the end of $log
stat() {
	sed -n "s/^stat::$1: *//p" "$log"
}

run() {
	n=$((n + 1))
	name=$1 log=$BUILD/$1.log seeds=tests/fuzz/corpus/$1
	mkdir -p "$BUILD/corpus/$name"
	set -- "$limit" -print_final_stats=1 -timeout=25 \
		"-artifact_prefix=$BUILD/$name-"
	[ -f "tests/fuzz/$name.dict" ] && set -- "$@" "-dict=tests/fuzz/$name.dict"
	set -- "$@" "$BUILD/corpus/$name"
	[ -d "$seeds" ] && set -- "$@" "$seeds"
	if "$BUILD/tests/fuzz_$name" "$@" > "$log" 2>&1; then
		echo "fuzz $name: $(stat number_of_executed_units) executions"
	else
		failed=1
		grep -v -e '^#' -e '^stat::' "$log" | tail -60
		echo "fuzz $name: a finding; all that was said is in $log"
	fi
}

for source in tests/fuzz/fuzz_*.c; do
	name=${source#tests/fuzz/fuzz_}
	name=${name%.c}
	case $name in
	*${FUZZ:-}*) run "$name" ;;
	esac
done
if [ $n = 0 ]; then
	echo "fuzz: no target is called ${FUZZ:-so}"
	failed=1
fi
exit $failed
