# ebb: `make run` to try it, `make check` to test it. README.md explains the rest.
#
# Flavours build in folders of their own: make BUILD=build/clang CC=clang WERROR=1
# V=1 shows the whole command lines.

CC      ?= cc
CFLAGS  ?= -O2 -g
BUILD   ?= build
FUZZ_CC ?= clang
PREFIX  ?= /usr/local
WERROR  ?=
Q       := $(if $(V),,@)

# What `make deps` installs: to build and test; what it unpacks, for the tests; what `make deps-dev`
# adds: lint and the sanitizers.
PACKAGES     := gcc make pkg-config libev-dev liblua5.4-dev libssl-dev libinih-dev libc-ares-dev \
	libidn2-dev libedit-dev libjansson-dev uthash-dev libunistring-dev libcmocka-dev lua5.4 \
	ngircd inspircd atheme-services anope libltdl7 openssl python3 systemd procps util-linux \
	iproute2 valgrind
UNPACKED     := ircd-hybrid
DEV_PACKAGES := clang clang-format clang-tidy libclang-rt-14-dev mandoc

# Those of the library, and those that the programs need besides; what pkg-config does not know.
EMBEDDED  := lua5.4 openssl inih libcares libidn2
LIBRARIES := $(EMBEDDED) libedit jansson
UNKNOWN   := -lev -lunistring -lm
WARNINGS  := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wwrite-strings -Wmissing-prototypes \
	-Wpointer-arith -Wformat=2 -Wvla $(if $(WERROR),-Werror)
VERSION   := 0.1

CPPFLAGS_ALL = -D_GNU_SOURCE -DEBB_VERSION='"$(VERSION)"' -Isrc \
	$(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null) $(CPPFLAGS)
CFLAGS_ALL   = -std=c11 $(WARNINGS) $(CFLAGS)
LIBS_ALL     = $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null) $(UNKNOWN) $(LDLIBS)

FLOORS  := base net irc sim ctl script daemon
PARTS   := # single files of other floors
MAINS   := src/main.c src/ctl/ebbctl.c
SOURCES := $(filter-out $(MAINS),$(wildcard $(FLOORS:%=src/%/*.c)) $(PARTS))
HEADERS := src/ebb.h $(wildcard $(FLOORS:%=src/%/*.h))
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/obj/%.o)
UNITS   := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
FUZZES  := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz/fuzz_*.c))
SUPPORT := $(patsubst tests/support/%.c,$(BUILD)/obj/support/%.o,$(wildcard tests/support/*.c))
FUZZ_SUPPORT := $(BUILD)/obj/support/roster_check.o

.SECONDARY:
.DELETE_ON_ERROR:
.PHONY: all units run deps deps-dev check check-unit check-built bench fuzz fuzz-built asan valgrind lint format doc install clean

all: $(BUILD)/ebbd $(BUILD)/ebbctl $(BUILD)/lib/libebb.a

units: $(UNITS)

$(BUILD)/ebbd: $(BUILD)/obj/main.o $(BUILD)/libebb.a
	@echo "LD  $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS_ALL)

$(BUILD)/ebbctl: $(BUILD)/obj/ctl/ebbctl.o $(BUILD)/libebb.a
	@echo "LD  $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs jansson) $(LDLIBS)

$(BUILD)/libebb.a: $(OBJECTS)
	@rm -f $@
	@echo "AR  $@"
	$(Q)$(AR) rcs $@ $^

# What is installed for other programs: ebb.h, and no other name that could be one of theirs, too.
$(BUILD)/lib/libebb.a: $(BUILD)/libebb.a
	@mkdir -p $(@D)
	@rm -f $@
	@echo "AR  $@"
	$(Q)$(LD) -r -o $(@D)/ebb.o $(BUILD)/obj/daemon/ebb.o $<
	$(Q)objcopy -w --keep-global-symbol='ebb_*' $(@D)/ebb.o
	$(Q)$(AR) rcs $@ $(@D)/ebb.o

$(BUILD)/obj/support/%.o: tests/support/%.c
	@mkdir -p $(@D)
	@echo "CC  $@"
	$(Q)$(CC) $(CPPFLAGS_ALL) -Itests $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	@echo "CC  $@"
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/tests/%: tests/unit/%.c $(SUPPORT) $(BUILD)/libebb.a
	@mkdir -p $(@D)
	@echo "CC  $@"
	$(Q)$(CC) $(CPPFLAGS_ALL) -Itests $(CFLAGS_ALL) -MMD -MP $(LDFLAGS) -o $@ $< $(SUPPORT) \
		$(BUILD)/libebb.a -lcmocka $(LIBS_ALL)

$(BUILD)/bench/%: tests/bench/%.c $(SUPPORT) $(BUILD)/libebb.a
	@mkdir -p $(@D)
	@echo "CC  $@"
	$(Q)$(CC) $(CPPFLAGS_ALL) -Itests $(CFLAGS_ALL) -MMD -MP $(LDFLAGS) -o $@ $< $(SUPPORT) \
		$(BUILD)/libebb.a -lcmocka $(LIBS_ALL)

$(BUILD)/tests/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_SUPPORT) $(BUILD)/libebb.a
	@mkdir -p $(@D)
	@echo "CC  $@"
	$(Q)$(CC) $(CPPFLAGS_ALL) -Itests $(CFLAGS_ALL) -fsanitize=fuzzer -MMD -MP $(LDFLAGS) -o $@ $< \
		$(FUZZ_SUPPORT) $(BUILD)/libebb.a $(LIBS_ALL)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

run: deps
	@$(MAKE) --no-print-directory all
	@$(BUILD)/ebbd --console scripts/hello.lua

deps:
	@sh tests/support/packages.sh $(PACKAGES) -- $(UNPACKED)

deps-dev:
	@sh tests/support/packages.sh $(PACKAGES) $(DEV_PACKAGES) -- $(UNPACKED)

# The libraries' flags are only known once the packages are there: hence the second make.
check: deps
	@$(MAKE) --no-print-directory check-built

check-built: all units $(BENCHES)
	@BUILD=$(BUILD) bash tests/run.sh unit lua integration

check-unit: units
	@BUILD=$(BUILD) bash tests/run.sh unit

# QUICK=1 measures less, within a minute. BENCH_JSON=FILE: where the figures go as JSON.
bench: deps
	@$(MAKE) --no-print-directory all $(BENCHES)
	@BUILD=$(BUILD) QUICK=$(QUICK) python3 tests/bench/bench.py

# FUZZ_SECONDS=60 for each target, or FUZZ_RUNS=N executions; FUZZ=name: only that target. What is
# fuzzed has no sockets and no Lua, so nothing else is built.
fuzz: deps-dev
	@$(MAKE) --no-print-directory fuzz-built BUILD=$(BUILD)/fuzz FLOORS="base irc" \
		PARTS=src/net/socks_talk.c CC="$(FUZZ_CC)" \
		CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all"

fuzz-built: $(FUZZES)
	@BUILD=$(BUILD) FUZZ=$(FUZZ) FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_RUNS=$(FUZZ_RUNS) \
		sh tests/fuzz/run.sh

asan:
	@$(MAKE) --no-print-directory check BUILD=$(BUILD)/asan \
		CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined"

# The unit tests under valgrind.
valgrind: deps
	@$(MAKE) --no-print-directory all units
	@BUILD=$(BUILD) bash tests/run.sh valgrind

TIDY := $(patsubst %,tidy/%,$(SOURCES) $(MAINS))
.PHONY: $(TIDY)
$(TIDY): tidy/%:
	@clang-tidy --quiet $* -- -std=c11 $(CPPFLAGS_ALL)

lint: $(TIDY)
	@sh tests/lint/floors.sh
	@sh tests/lint/banned.sh
	@clang -x c++-header -std=c++11 -Wall -Wextra -Werror -fsyntax-only src/ebb.h
	@clang-format --dry-run --Werror $(SOURCES) $(HEADERS) $(MAINS) doc/embed.c \
		$(wildcard tests/unit/*.c tests/bench/*.c tests/fuzz/*.[ch] tests/support/*.[ch])

format:
	clang-format -i $(SOURCES) $(HEADERS) $(MAINS) doc/embed.c \
		$(wildcard tests/unit/*.c tests/bench/*.c tests/fuzz/*.[ch] tests/support/*.[ch])

# The manual page of the Lua interface is made of the file that documents it for editors.
doc: $(BUILD)/doc/ebb-lua.7

$(BUILD)/doc/ebb-lua.7: doc/man.lua doc/ebb.lua
	@mkdir -p $(@D)
	lua5.4 doc/man.lua < doc/ebb.lua > $@

# The default of script_path knows /usr only: the sample names the folder that is installed to.
SHARE := $(DESTDIR)$(PREFIX)/share
install: $(BUILD)/ebbd $(BUILD)/ebbctl $(BUILD)/lib/libebb.a doc
	install -d $(DESTDIR)/etc/ebb/scripts $(SHARE)/ebb/scripts $(SHARE)/doc/ebb \
		$(SHARE)/man/man1 $(SHARE)/man/man5 $(SHARE)/man/man7 $(SHARE)/man/man8 \
		$(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/lib/systemd/system \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/pkgconfig \
		$(DESTDIR)$(PREFIX)/include
	install -d -m 700 $(DESTDIR)/etc/ebb/secrets
	install -m 755 $(BUILD)/ebbd $(DESTDIR)$(PREFIX)/sbin
	install -m 755 $(BUILD)/ebbctl $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(filter-out %_test.lua,$(wildcard scripts/*.lua)) $(SHARE)/ebb/scripts
	install -m 644 doc/ebb.lua $(SHARE)/ebb
	install -m 644 README.md LICENSE doc/embed.c $(SHARE)/doc/ebb
	install -m 644 src/ebb.h $(DESTDIR)$(PREFIX)/include
	install -m 644 $(BUILD)/lib/libebb.a $(DESTDIR)$(PREFIX)/lib
	sed 's|@PREFIX@|$(PREFIX)|;s|@VERSION@|$(VERSION)|;s|@REQUIRES@|$(EMBEDDED)|;s|@LIBS@|$(UNKNOWN)|' \
		src/ebb.pc > $(DESTDIR)$(PREFIX)/lib/pkgconfig/ebb.pc
	sed '/^;script_path/{s|/usr/share|$(PREFIX)/share|;s|^;||;}' conf/ebb.ini \
		> $(SHARE)/doc/ebb/ebb.ini
	install -m 644 doc/ebbctl.1 $(SHARE)/man/man1
	install -m 644 doc/ebb.ini.5 $(SHARE)/man/man5
	install -m 644 $(BUILD)/doc/ebb-lua.7 $(SHARE)/man/man7
	sed '/^.It Pa .usr/s|/usr|$(PREFIX)|' doc/ebbd.8 > $(SHARE)/man/man8/ebbd.8
	for unit in ebb.service ebb@.service; do \
		sed 's|/usr/sbin|$(PREFIX)/sbin|' systemd/$$unit \
			> $(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit || exit; \
	done
	install -m 644 systemd/ebb.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/ebb.conf

clean:
	rm -rf $(BUILD)
