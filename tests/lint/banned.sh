#!/bin/sh
# banned.sh: calls that have no place here (strcpy and its kind, atoi, variable-length arrays by
# alloca), a clock read outside clock.c, a libev timer outside loop.c, and exit outside main.c.
set -u
bad=0

# refuse PATTERN WHY [FILE THAT MAY]
refuse() {
	found=$(grep -nE "(^|[^a-zA-Z0-9_])($1)[[:space:]]*\(" -r src --include='*.[ch]' | grep -vE "^src/(${3:-none})") || return
	echo "$found"
	echo "banned: $2"
	bad=1
}

refuse 'strcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets' 'use struct str and struct buf'
refuse 'strtok|strtok_r' 'use str_cut or str_word'
refuse 'atoi|atol|atof|strtol|strtoul|sscanf' 'use str_int' 'base/log.c'
refuse 'alloca' 'no arrays of variable length'
refuse 'clock_gettime|gettimeofday|time|ev_now|ev_time' 'only clock.c reads a clock' 'base/clock'
refuse 'ev_timer_[a-z]+' 'deadlines live in timers' 'net/loop.c'
refuse 'exit|_exit' 'only main exits' 'main.c'
refuse 'malloc|calloc|realloc|reallocarray|strdup' 'use mem.h' '(base/mem.c|script/arena.c)'
[ $bad = 0 ] && echo "banned: ok"
exit $bad
