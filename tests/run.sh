#!/bin/sh
# run.sh SUITE...: runs the built tests of the suites (unit, valgrind, lua, integration) and counts
# them. Each test program speaks TAP; what fails is shown whole, and the last line says how many
# ran.
# TEST=PATTERN runs only the programs whose name matches it.
set -u
BUILD=${BUILD:-build}
export BUILD
passed=0 failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

run() {
	name=$1
	shift
	case $name in
	*${TEST:-}*) ;;
	*) return ;;
	esac
	"$@" > "$out" 2>&1
	status=$?
	ok=$(grep -c '^ok ' "$out")
	bad=$(grep -c '^not ok ' "$out")
	if [ "$bad" = 0 ] && { [ $status != 0 ] || [ "$ok" = 0 ]; }; then
		bad=1 # it crashed, or ran nothing
	fi
	passed=$((passed + ok)) failed=$((failed + bad))
	if [ "$bad" = 0 ]; then
		echo "$name: $ok passed"
	else
		grep -v '^ok ' "$out"
		echo "$name: $ok passed, $bad failed (exit status $status)"
	fi
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
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
