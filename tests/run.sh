#!/bin/bash
# run.sh SUITE...: runs the built tests of the suites (unit, valgrind, lua, integration) and counts
# them: as many programs at a time as there are processors. Each test program speaks TAP; what fails
# is shown whole, and the last line says how many ran.
# TEST=PATTERN runs only the programs whose name matches it.
set -u
BUILD=${BUILD:-build}
export BUILD
jobs=$(nproc) n=0
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# one NAME COMMAND...: runs a program to its end, and leaves how many of its tests passed and failed
one() {
	local name=$1 out=$place/$n ok bad status
	shift
	"$@" > "$out" 2>&1
	status=$?
	ok=$(grep -c '^ok ' "$out")
	bad=$(grep -c '^not ok ' "$out")
	if [ "$bad" = 0 ] && { [ $status != 0 ] || [ "$ok" = 0 ]; }; then
		bad=1 # it crashed, or ran nothing
	fi
	echo "$ok $bad" > "$out.counts"
	{
		flock 9
		if [ "$bad" = 0 ]; then
			echo "$name: $ok passed"
		else
			grep -v '^ok ' "$out"
			echo "$name: $ok passed, $bad failed (exit status $status)"
		fi
	} 9> "$place/lock"
}

run() {
	case $1 in
	*${TEST:-}*) ;;
	*) return ;;
	esac
	n=$((n + 1))
	case $1 in
	test_adversaries.py | test_bench.py) # these measure time
		wait
		one "$@"
		return
		;;
	esac
	while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do
		wait -n
	done
	one "$@" &
}

# units COMMAND...: runs each program of the unit tests by it
units() {
	for program in "$BUILD"/tests/test_*; do
		case $program in
		*.d) ;;
		*) run "$(basename "$program")" env CMOCKA_MESSAGE_OUTPUT=TAP "$@" "$program" ;;
		esac
	done
}

for suite; do
	case $suite in
	unit)
		units timeout 300
		;;
	valgrind) # where all is slow, time is scaled, and what takes long is done less often
		units timeout 600 env VALGRIND=1 valgrind -q --error-exitcode=9 \
			--leak-check=full --errors-for-leak-kinds=definite
		;;
	lua)
		for file in scripts/*_test.lua tests/lua/*_test.lua; do
			run "$(basename "$file")" timeout 300 "$BUILD"/ebbd --test "$file"
		done
		;;
	integration)
		for program in tests/integration/test_*.py; do
			run "$(basename "$program")" timeout 600 python3 "$program"
		done
		;;
	esac
done
wait
cat "$place"/*.counts 2> /dev/null | {
	passed=0 failed=0
	while read -r ok bad; do
		passed=$((passed + ok)) failed=$((failed + bad))
	done
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
}
