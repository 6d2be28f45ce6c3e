#include "script/match.h"

#include "base/rand.h"
#include "script/modules.h"
#include "support/check.h"
#include "support/eager.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

/* string once more, where it is always others' turn. */
#define lib_open_string   eager_open_string
#define lib_push_captures eager_push_captures
#define lib_match         eager_match
void eager_open_string(lua_State *L);
int eager_push_captures(lua_State *L, const struct match *m);
int eager_match(lua_State *L, int subject, int pattern);
#include "script/lib_string.c"
#undef lib_open_string
#undef lib_push_captures
#undef lib_match

/* Lua's own functions and ebb's, asked the same. */

/* Gives a function of a subject and a pattern, which tells as text all that the functions say to
 * these, errors included. */
static const char asking[] =
	"local find, match, gmatch, gsub = string.find, string.match, string.gmatch, string.gsub\n"
	"local out\n"
	"local function note(what, ...)\n"
	"  out[#out + 1] = what\n"
	"  for i = 1, select('#', ...) do\n"
	"    local v = select(i, ...)\n"
	"    out[#out + 1] = type(v) == 'string' and string.format('%q', v) or tostring(v)\n"
	"  end\n"
	"  out[#out + 1] = '\\n'\n"
	"end\n"
	"local function note_each(iterate)\n"
	"  for i = 1, 100 do\n"
	"    local got = table.pack(iterate())\n"
	"    note('each', table.unpack(got, 1, got.n))\n"
	"    if got.n == 0 then break end\n"
	"  end\n"
	"end\n"
	"local named = setmetatable({ a = 'A', b = false, ab = 12, ['('] = true },\n"
	"  { __index = function(_, k) return type(k) == 'number' and k * 2 or nil end })\n"
	"local function nothing() end\n"
	"local function last(...) return (select(select('#', ...), ...)) end\n"
	"local function tell(...) return '<' .. select('#', ...) .. ':' .. tostring(...) .. '>' end\n"
	"local function bad(c) return c == 'a' and {} or c end\n"
	"local replacements = { '', 'x', '<%0>', '%1', '%1%%%1', '%2', '%9', '%x', '%', 7, 1.5, \n"
	"  named, {}, nothing, last, tell, bad }\n"
	"return function(s, p)\n"
	"  out = {}\n"
	"  for _, init in ipairs { 1, 2, 4, -1, -3, -100, 100, 0 } do\n"
	"    note('find', pcall(find, s, p, init))\n"
	"    note('match', pcall(match, s, p, init))\n"
	"    note('gmatch', pcall(function() note_each(gmatch(s, p, init)) end))\n"
	"  end\n"
	"  note('plain', pcall(find, s, p, 1, true))\n"
	"  for i, r in ipairs(replacements) do\n"
	"    note('gsub ' .. i, pcall(gsub, s, p, r))\n"
	"    for n = -1, 3 do note('gsub ' .. i .. ' ' .. n, pcall(gsub, s, p, r, n)) end\n"
	"  end\n"
	"  return table.concat(out, ' ')\n"
	"end\n";

static lua_State *stock, *ours;

/* With the function of a chunk at index 1. */
static lua_State *open_state(const char *source, bool is_ours)
{
	lua_State *L = luaL_newstate();
	assert_non_null(L);
	luaL_openlibs(L);
	if (is_ours)
		lib_open_string(L);
	if (luaL_dostring(L, source) != LUA_OK)
		fail_msg("%s", lua_tostring(L, -1));
	lua_settop(L, 1);
	return L;
}

/* What a state says of a subject and a pattern; on its stack, which the caller empties. */
static struct str answer(lua_State *L, struct str subject, struct str pattern)
{
	struct str s;
	lua_pushvalue(L, 1);
	lua_pushlstring(L, subject.p, subject.n);
	lua_pushlstring(L, pattern.p, pattern.n);
	if (lua_pcall(L, 2, 1, 0) != LUA_OK)
		fail_msg("%s", lua_tostring(L, -1));
	s.p = lua_tolstring(L, -1, &s.n);
	return s;
}

static void print_quoted(const char *what, struct str s)
{
	print_error("%s: \"", what);
	for (size_t i = 0; i < s.n; i++)
		print_error(s.p[i] >= ' ' && s.p[i] < 127 ? "%c" : "\\%03d", (unsigned char)s.p[i]);
	print_error("\"\n");
}

static bool is_same(struct str subject, struct str pattern)
{
	struct str wanted = answer(stock, subject, pattern), got = answer(ours, subject, pattern);
	bool is = str_eq(wanted, got);
	while (!is && wanted.n + got.n) {
		struct str a = str_cut(&wanted, '\n'), b = str_cut(&got, '\n');
		if (str_eq(a, b))
			continue;
		print_quoted("subject", subject);
		print_quoted("pattern", pattern);
		print_quoted("Lua's", a);
		print_quoted("ebb's", b);
		break;
	}
	lua_settop(stock, 1);
	lua_settop(ours, 1);
	return is;
}

/* Each pattern is tried on these too. */
static const struct str subjects[] = {
	STR_CONST(""),
	STR_CONST("a"),
	STR_CONST("abc abd 12"),
	STR_CONST("(a(b)c) [x]]"),
	STR_CONST("\0a\0\0b"),
};

#define S STR_CONST

static const struct pattern_row {
	const char *name;
	struct str pattern, subject;
} pattern_rows[] = {
	{"literal: empty",			     S(""),					  S("abc")                    },
	{"literal: one",			       S("b"),					 S("abcb")                   },
	{"literal: several",                           S("bc"),					S("abcbc")                  },
	{"literal: not there",                         S("xyz"),                                       S("abc")                    },
	{"literal: a NUL",			     S("\0"),					S("a\0b")                   },
	{"literal: with a NUL inside",                 S("a\0b"),                                      S("xa\0b")                  },
	{"literal: high bytes",                        S("\xc3\xa9"),                                  S("caf\xc3\xa9")            },
	{"literal: a closing bracket",                 S("]"),                                         S("a]b")                    },
	{"literal: a brace",                           S("{}"),					S("a{}b")                   },
	{"literal: a caret inside",                    S("a^b"),                                       S("a^b")                    },
	{"literal: a dollar inside",                   S("a$b"),                                       S("a$b")                    },
	{"literal: a minus in front",                  S("-a"),                                        S("-a")                     },
	{"literal: a star in front",                   S("*a"),                                        S("*a**a")                  },
	{"literal: a plus in front",                   S("+"),                                         S("a++")                    },
	{"literal: a question mark in front",          S("?a"),                                        S("?a")                     },
	{"literal: a repetition of a repetition",      S("a**"),                                       S("aa**")                   },
	{"literal: an escaped repetition",             S("a%*"),                                       S("aa*")                    },

	{"anchor: at the start",                       S("^a"),                                        S("ba")                     },
	{"anchor: at the start, found",                S("^ab"),                                       S("abab")                   },
	{"anchor: alone",			      S("^"),					 S("abc")                    },
	{"anchor: twice",			      S("^^a"),				       S("^a")                     },
	{"anchor: at the end",                         S("c$"),					S("abcabc")                 },
	{"anchor: the end alone",                      S("$"),                                         S("abc")                    },
	{"anchor: the end twice",                      S("$$"),                                        S("a$")                     },
	{"anchor: both",			       S("^abc$"),				     S("abc")                    },
	{"anchor: both, nothing between",              S("^$"),                                        S("")                       },
	{"anchor: in a capture",                       S("(^a)"),                                      S("^a")                     },
	{"anchor: a dollar in a capture",              S("(a$)"),                                      S("a$")                     },
	{"anchor: a dollar behind a capture",          S("(a)$"),                                      S("ba")                     },
	{"anchor: a repeated dollar",                  S("$*a"),                                       S("$$a")                    },
	{"anchor: escaped",			    S("%^a%$"),                                     S("^a$")                    },

	{"any: one",				   S("."),					 S("abc")                    },
	{"any: three",				 S("..."),				       S("abcdef")                 },
	{"any: all",				   S(".*"),					S("abc")                    },
	{"any: all in between",                        S("a.*c"),                                      S("abcabc")                 },
	{"any: little in between",                     S("a.-c"),                                      S("abcabc")                 },
	{"any: little at the end",                     S("a.-"),                                       S("abc")                    },
	{"any: little up to the end",                  S("a.-$"),                                      S("abc")                    },
	{"any: at least one",                          S(".+b"),                                       S("abab")                   },
	{"any: perhaps",			       S("a.?c"),				      S("abcac")                  },

	{"class: letters",			     S("%a+"),				       S("abc 12 De")              },
	{"class: no letters",                          S("%A+"),                                       S("abc 12 De")              },
	{"class: control characters",                  S("%c"),                                        S("a\nb\x7f")               },
	{"class: no control characters",               S("%C+"),                                       S("a\nb\x7f")               },
	{"class: digits",			      S("%d+"),				       S("a12b345")                },
	{"class: no digits",                           S("%D+"),				       S("a12b345")                },
	{"class: printable",                           S("%g+"),				       S("a b\tc")                 },
	{"class: not printable",                       S("%G+"),                                       S("a b\tc")                 },
	{"class: small letters",                       S("%l+"),                                       S("abCD")                   },
	{"class: no small letters",                    S("%L+"),                                       S("abCD")                   },
	{"class: punctuation",                         S("%p+"),                                       S("a,.b;!")                 },
	{"class: no punctuation",                      S("%P+"),                                       S("a,.b;!")                 },
	{"class: spaces",			      S("%s+"),				       S("a \t\n\v\f\r b")         },
	{"class: no spaces",                           S("%S+"),				       S("a \t\n b")               },
	{"class: capitals",			    S("%u+"),				       S("abCD")                   },
	{"class: no capitals",                         S("%U+"),                                       S("abCD")                   },
	{"class: alphanumeric",                        S("%w+"),                                       S("ab_12")                  },
	{"class: not alphanumeric",                    S("%W+"),                                       S("ab_12")                  },
	{"class: hexadecimal",                         S("%x+"),                                       S("xyzab09F")               },
	{"class: not hexadecimal",                     S("%X+"),                                       S("xyzab09F")               },
	{"class: the old one for NUL",                 S("%z"),                                        S("a\0b")                   },
	{"class: the old one for all but NUL",         S("%Z+"),                                       S("a\0b")                   },
	{"class: a letter that is none",               S("%q"),                                        S("aqQ")                    },
	{"class: a capital that is none",              S("%Q"),                                        S("aqQ")                    },
	{"class: an escaped percent sign",             S("%%"),                                        S("10%")                    },
	{"class: an escaped NUL",                      S("%\0"),                                       S("a\0")                    },
	{"class: an escaped space",                    S("% "),                                        S("a b")                    },
	{"class: an escaped high byte",                S("%\xe9"),                                     S("caf\xe9")                },
	{"class: high bytes are none",                 S("%w+"),                                       S("caf\xe9 x")              },
	{"class: all kinds in a row",                  S("%a%d%s%p"),                                  S("a1 .")                   },

	{"set: one",				   S("[a]"),				       S("cba")                    },
	{"set: several",			       S("[abc]+"),                                    S("xxcbay")                 },
	{"set: not",				   S("[^abc]+"),				   S("abcxya")                 },
	{"set: a range",			       S("[b-d]+"),                                    S("abcde")                  },
	{"set: not in a range",                        S("[^b-d]+"),                                   S("abcde")                  },
	{"set: two ranges",			    S("[a-cx-z]+"),                                 S("mabxyzn")                },
	{"set: a range of one",                        S("[b-b]"),                                     S("abc")                    },
	{"set: a range that is reversed",              S("[c-a]"),                                     S("abc-")                   },
	{"set: a range of high bytes",                 S("[\x80-\xff]+"),                              S("caf\xc3\xa9s")           },
	{"set: a range from NUL",                      S("[\0-b]+"),                                   S("x\0ab")                  },
	{"set: a minus in front",                      S("[-a]+"),                                     S("b-a-")                   },
	{"set: a minus at the end",                    S("[a-]+"),                                     S("b-a-")                   },
	{"set: a minus alone",                         S("[-]"),                                       S("a-")                     },
	{"set: three minus",                           S("[---]"),                                     S("a-")                     },
	{"set: from a minus",                          S("[--0]+"),                                    S("a-./0")                  },
	{"set: a class",			       S("[%d]+"),				     S("ab12")                   },
	{"set: classes",			       S("[%d%s]+"),                                   S("ab1 2c")                 },
	{"set: not a class",                           S("[^%s]+"),                                    S(" ab c")                  },
	{"set: not a negated class",                   S("[^%S]+"),                                    S("ab \tc")                 },
	{"set: a class and an underscore",             S("[%w_]+"),                                    S("-a_1-")                  },
	{"set: a minus behind a class",                S("[%a-z]+"),                                   S("ab-z1")                  },
	{"set: a range that ends in a percent sign",   S("[!-%a]+"),                                   S("!#%a&")                  },
	{"set: a range up to an escaped percent sign", S("[a-%%]"),                                    S("a%]b")                   },
	{"set: a range to an escaped bracket",         S("[a-%]]"),                                    S("a%]-")                   },
	{"set: a bracket in front",                    S("[]]"),                                       S("a]b")                    },
	{"set: a bracket and more",                    S("[]a]+"),                                     S("ba]b")                   },
	{"set: not a bracket",                         S("[^]]+"),                                     S("ba]b")                   },
	{"set: a range from a bracket",                S("[]-a]+"),                                    S("Z]^_`ab")                },
	{"set: an opening bracket",                    S("[[]"),                                       S("a[b")                    },
	{"set: an escaped bracket",                    S("[%]]+"),                                     S("a]]b")                   },
	{"set: escaped brackets",                      S("[%[%]]+"),                                   S("a[]b")                   },
	{"set: a caret that is not in front",          S("[a^]+"),                                     S("b^a")                    },
	{"set: a caret twice",                         S("[^^]+"),                                     S("^a^")                    },
	{"set: an escaped caret",                      S("[%^]"),                                      S("a^")                     },
	{"set: a dot",				 S("[.]"),				       S("a.")                     },
	{"set: signs of patterns",                     S("[*+?().]+"),                                 S("a*+?().b")               },
	{"set: a NUL",				 S("[\0]"),				      S("a\0b")                   },
	{"set: not a NUL",			     S("[^\0]+"),                                    S("a\0b")                   },
	{"set: as long as can be",                     S("[0-9a-fA-F:.%-_!~*'();/?@&=+$,#]+"),
         S("see http://x.y/?a=b")												  },
	{"set: behind a set",                          S("[ab][cd]"),                                  S("acbd")                   },
	{"set: up to its last",                        S("[a%]"),                                      S("a%]")                    },

	{"repeat: none of many",                       S("b*"),                                        S("abba")                   },
	{"repeat: many",			       S("a*"),					S("aaab")                   },
	{"repeat: gives back",                         S("a*a"),                                       S("aaa")                    },
	{"repeat: gives back twice",                   S("a*a*b"),                                     S("aaab")                   },
	{"repeat: at least one",                       S("ab+c"),                                      S("acabbc")                 },
	{"repeat: at least one, and none",             S("b+"),                                        S("aaa")                    },
	{"repeat: gives back to one",                  S("a+a"),                                       S("aaa")                    },
	{"repeat: perhaps",			    S("ab?c"),                                      S("acabc")                  },
	{"repeat: perhaps, given back",                S("a?a"),                                       S("a")                      },
	{"repeat: perhaps at the end",                 S("ba?"),                                       S("bba")                    },
	{"repeat: as little as nothing",               S("a-"),                                        S("aaa")                    },
	{"repeat: as little as needed",                S("a-b"),                                       S("aaab")                   },
	{"repeat: little, and it is not enough",       S("a-c"),                                       S("aaab")                   },
	{"repeat: little, twice",                      S("a-b-c"),                                     S("aabbc")                  },
	{"repeat: a class",			    S("%d*%a"),                                     S("12a34b")                 },
	{"repeat: a set",			      S("[ab]-c"),                                    S("ababc")                  },
	{"repeat: a set that gives back",              S("[ab]*b"),                                    S("abab")                   },
	{"repeat: an escaped sign",                    S("%.+"),                                       S("a...b")                  },
	{"repeat: perhaps many times",                 S("a?a?a?a?aaaa"),                              S("aaaa")                   },
	{"repeat: nothing at all",                     S("a?b*c-"),                                    S("xyz")                    },
	{"repeat: all there is, twice",                S("(.*)(.*)"),                                  S("ab")                     },
	{"repeat: least and most",                     S("(.-)(.*)"),                                  S("ab")                     },
	{"repeat: trim",			       S("^%s*(.-)%s*$"),                              S("  a b  ")                },
	{"repeat: a minus behind a bracket",           S("a]-b"),                                      S("a]]b")                   },

	{"capture: one",			       S("(b)"),				       S("abc")                    },
	{"capture: two",			       S("(a)(b)"),                                    S("abc")                    },
	{"capture: nested",			    S("((a)(b))"),                                  S("abc")                    },
	{"capture: in order of their openings",        S("(a(b(c)))"),                                 S("abc")                    },
	{"capture: empty",			     S("(a*)"),				      S("baab")                   },
	{"capture: a position",                        S("()"),                                        S("ab")                     },
	{"capture: positions around",                  S("()b()"),                                     S("abc")                    },
	{"capture: a position at the end",             S("a()$"),                                      S("ba")                     },
	{"capture: a position in a capture",           S("(a()b)"),                                    S("ab")                     },
	{"capture: undone",			    S("(a)b"),                                      S("acab")                   },
	{"capture: undone within another",             S("((a)b?)c"),                                  S("abac")                   },
	{"capture: a word",			    S("^(%w+)%s+(.*)$"),                            S("say hello world")        },
	{"capture: key and value",                     S("(%w+)%s*=%s*(%w+)"),                         S("a = 1, b=2")             },
	{"capture: a command",                         S("^!(%w+)%s*(.*)$"),                           S("!tea 5 minutes")         },
	{"capture: a mask",			    S("^([^!]+)!([^@]+)@(.+)$"),                    S("nick!user@host")         },
	{"capture: a link",			    S("(https?://[%w%-%./_?=&#]+)"),                S("see https://x.y/z?a=1 !")},
	{"capture: colours",                           S("\3(%d?%d?),?(%d?%d?)"),
         S("\3"
		  "04,12hot\3 not")												},
	{"capture: as many as can be",
         S("()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()"),                        S("a")                      },
	{"capture: sixteen nested",                    S("((((((((((((((((a))))))))))))))))"),         S("a")                      },
	{"capture: a NUL",			     S("(\0)"),				      S("a\0")                    },

	{"again: one",				 S("(a)%1"),				     S("abaa")                   },
	{"again: a word",			      S("(%w+) %1"),                                  S("the the cat")            },
	{"again: a quotation",                         S("([\"'])(.-)%1"),                             S("say \"it's\" 'x'")       },
	{"again: empty",			       S("(b*)%1a"),                                   S("a")                      },
	{"again: the second",                          S("(a)(b)%2%1"),                                S("abba")                   },
	{"again: too long",			    S("(aa)%1"),                                    S("aaa")                    },
	{"again: with a NUL",                          S("(a\0)%1"),                                   S("a\0a\0")                 },
	{"again: a position is nothing",               S("()%1"),                                      S("abc")                    },
	{"again: followed by a digit",                 S("(a)%11"),                                    S("aa1")                    },
	{"again: half and half",                       S("^(.*)%1$"),                                  S("abcabc")                 },
	{"again: not repeated",                        S("(a)%1*"),                                    S("aa*")                    },

	{"balance: parentheses",                       S("%b()"),                                      S("f(a(b)c)d)")             },
	{"balance: never closed",                      S("%b()"),                                      S("((a)")                   },
	{"balance: the same sign",                     S("%b''"),                                      S("a 'b' c")                },
	{"balance: letters",                           S("%bab"),                                      S("aabbb")                  },
	{"balance: with a NUL",                        S("%b\0a"),                                     S("\0\0aa")                 },
	{"balance: brackets",                          S("%b[]"),                                      S("x[[]]]")                 },
	{"balance: what is inside",                    S("(%b())"),                                    S("a(b)c")                  },
	{"balance: and more",                          S("%b()x"),                                     S("(a)(b)x")                },
	{"balance: not repeated",                      S("%b()*"),                                     S("()()*")                  },
	{"balance: percent signs",                     S("%b%%"),                                      S("a%b%c")                  },

	{"frontier: where a word begins",              S("%f[%w]%w+"),                                 S("the (cat)")              },
	{"frontier: whole words",                      S("%f[%w]a%f[%W]"),                             S("a ab ba a")              },
	{"frontier: alone",			    S("%f[%a]"),                                    S("1a2b")                   },
	{"frontier: the end",                          S("%f[\0]"),                                    S("abc")                    },
	{"frontier: the end, not",                     S("%f[^%w]"),                                   S("abc")                    },
	{"frontier: the start is a NUL",               S("%f[^\0]"),                                   S("abc")                    },
	{"frontier: at a NUL",                         S("%f[%z]"),                                    S("a\0b")                   },
	{"frontier: a capital",                        S("%f[A-Z]%u"),                                 S("abCDe")                  },
	{"frontier: twice",			    S("%f[a]%f[%a]a"),                              S("ba a")                   },
	{"frontier: with a bracket",                   S("%f[]]"),                                     S("a]]")                    },

	{"refused: ends with a percent sign",          S("%"),                                         S("abc")                    },
	{"refused: ends with a percent sign later",    S("a%"),                                        S("abc")                    },
	{"refused: a set without end",                 S("["),                                         S("abc")                    },
	{"refused: a negated set without end",         S("[^"),                                        S("abc")                    },
	{"refused: a set of a bracket without end",    S("[]"),                                        S("abc")                    },
	{"refused: a negated set of a bracket",        S("[^]"),                                       S("abc")                    },
	{"refused: a set of a percent sign",           S("[%"),                                        S("abc")                    },
	{"refused: a set of an escaped bracket",       S("[%]"),                                       S("abc")                    },
	{"refused: a set with a letter",               S("[a"),                                        S("abc")                    },
	{"refused: a set with a range",                S("[a-"),                                       S("abc")                    },
	{"refused: a range to an escaped bracket",     S("[a-%]"),                                     S("abc")                    },
	{"refused: a set that is never looked at",     S("x[a"),                                       S("abc")                    },
	{"refused: a set that is looked at sometimes", S("c[a"),                                       S("abc")                    },
	{"refused: a set behind one that is left out", S("x*[a"),                                      S("abc")                    },
	{"refused: a balance of nothing",              S("%b"),                                        S("abc")                    },
	{"refused: a balance of one",                  S("%ba"),                                       S("abc")                    },
	{"refused: a frontier of nothing",             S("%f"),                                        S("abc")                    },
	{"refused: a frontier of no set",              S("%fa"),                                       S("abc")                    },
	{"refused: a frontier without end",            S("%f[a"),                                      S("abc")                    },
	{"refused: a capture that is open",            S("(a"),                                        S("abc")                    },
	{"refused: a capture that is open, not found", S("(x"),                                        S("abc")                    },
	{"refused: one of two that is open",           S("(a)(b"),                                     S("abc")                    },
	{"refused: an open one at the end",            S("a("),                                        S("abc")                    },
	{"refused: one that is closed twice",          S("(a))"),                                      S("abc")                    },
	{"refused: one that is only closed",           S("a)"),                                        S("abc")                    },
	{"refused: closed without pattern",            S(")"),                                         S("abc)")                   },
	{"refused: no such capture",                   S("%1"),                                        S("abc")                    },
	{"refused: no second capture",                 S("(a)%2"),                                     S("abc")                    },
	{"refused: capture 0",                         S("%0"),					S("abc")                    },
	{"refused: capture 9",                         S("a%9"),                                       S("abc")                    },
	{"refused: the capture it is in",              S("(a%1)"),                                     S("aa")                     },
	{"refused: too many captures",
         S("()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()"),                      S("a")                      },
	{"refused: too many nested captures",          S("((((((((((((((((((((((((((((((((((((((((a"),
         S("a")														    },
};

static void both_say_the_same(void **state)
{
	const struct pattern_row *row = *state;
	bool is = is_same(row->subject, row->pattern);
	for (size_t i = 0; i < COUNTOF(subjects); i++)
		is = is_same(subjects[i], row->pattern) && is;
	assert_true(is);
	assert_true(COUNTOF(pattern_rows) * (COUNTOF(subjects) + 1) >= 500);
}

/* Random ones. */

static const struct str pattern_pieces[] = {S("a"), S("b"), S("c"), S("."), S("%a"), S("%d"),
	S("%s"), S("%w"), S("%S"), S("%A"), S("[ab]"), S("[^a]"), S("[a-c]"), S("[%w_]"),
	S("[^%s]"), S("[]]"), S("[a-]"), S("*"), S("*"), S("+"), S("+"), S("-"), S("-"), S("?"),
	S("?"), S("("), S(")"), S("(a"), S("(.-)"), S("(.*)"), S("(b?)"), S("()"), S("%1"), S("%2"),
	S("%b()"), S("%bab"), S("%f[%a]"), S("%f[^a]"), S("^"), S("$"), S("%"), S("["), S("]"),
	S("%f"), S("%b"), S("\0"), S("%%"), S("%z"), S("%("), S("\xe9"), S("1")};
static const struct str subject_pieces[] = {S("a"), S("a"), S("a"), S("b"), S("b"), S("c"), S("1"),
	S(" "), S("("), S(")"), S("_"), S("\0"), S("\xe9"), S("%"), S("]"), S("-"), S("A"), S("^")};

#undef S

struct text {
	char bytes[64];
	size_t n;
};

static struct str random_text(
	struct rand *r, struct text *t, const struct str *pieces, size_t n_pieces, size_t max)
{
	t->n = 0;
	for (size_t left = rand_below(r, max + 1); left > 0; left--) {
		struct str piece = pieces[rand_below(r, n_pieces)];
		memcpy(t->bytes + t->n, piece.p, piece.n);
		t->n += piece.n;
	}
	t->bytes[t->n] = '\0';
	return (struct str){t->bytes, t->n};
}

static struct str random_pattern(struct rand *r, struct text *t)
{
	return random_text(r, t, pattern_pieces, COUNTOF(pattern_pieces), 8);
}

static struct str random_subject(struct rand *r, struct text *t)
{
	return random_text(r, t, subject_pieces, COUNTOF(subject_pieces), 14);
}

/* SEED in the environment tries others. */
static struct rand random_begin(void)
{
	const char *seed = getenv("SEED");
	struct rand r = {seed ? strtoull(seed, NULL, 10) : 1};
	print_message("# seed %llu\n", (unsigned long long)r.state);
	return r;
}

static void both_say_the_same_of_random_patterns(void **state)
{
	struct rand r = random_begin();
	struct text subject, pattern;
	(void)state;
	int n = getenv("VALGRIND") ? 400 : 4000;
	for (int i = 0; i < n; i++)
		assert_true(is_same(random_subject(&r, &subject), random_pattern(&r, &pattern)));
}

/* The matcher by itself. */

static bool is_found_alike(const struct match *a, const struct match *b)
{
	return a->start == b->start && a->end == b->end && a->n_captures == b->n_captures &&
	       memcmp(a->captures, b->captures, a->n_captures * sizeof(a->captures[0])) == 0;
}

/* Pausing at every place there is. */
static enum match_result find_in_parts(struct match *m, size_t *n_pauses)
{
	enum match_result r;
	size_t from = 0;
	for (;; from = m->start) {
		m->steps = 1000000;
		m->low_steps = m->steps;
		r = match_find(m, from, MATCH_NOWHERE);
		if (r != MATCH_PAUSED)
			return r;
		assert_true(m->start > from && m->start <= m->subject.n);
		++*n_pauses;
	}
}

static void a_search_in_parts_finds_the_same(void **state)
{
	struct rand r = random_begin();
	struct text subject, pattern;
	struct match whole, parts;
	size_t n_pauses = 0;
	(void)state;
	for (int i = 0; i < 20000; i++) {
		random_subject(&r, &subject);
		random_pattern(&r, &pattern);
		struct str s = {subject.bytes, subject.n}, p = {pattern.bytes, pattern.n};
		match_init(&whole, s, p, 1000000);
		match_init(&parts, s, p, 1000000);
		enum match_result expected = match_find(&whole, 0, MATCH_NOWHERE);
		assert_int_equal(find_in_parts(&parts, &n_pauses), expected);
		if (expected == MATCH_FOUND)
			assert_true(is_found_alike(&whole, &parts));
		if (expected == MATCH_FAILED)
			assert_string_equal(parts.why, whole.why);
	}
	assert_true(n_pauses > 20000);
}

static void a_check_finds_every_mistake_that_a_search_finds(void **state)
{
	struct rand r = random_begin();
	struct text subject, pattern;
	struct match m, check;
	size_t n_failed = 0;
	(void)state;
	for (int i = 0; i < 20000; i++) {
		match_init(&m, random_subject(&r, &subject), random_pattern(&r, &pattern), 1000000);
		match_init(&check, STR(""), m.pattern, 0);
		bool is_sound = match_check(&check);
		assert_int_equal(is_sound, check.why[0] == '\0');
		if (match_find(&m, 0, MATCH_NOWHERE) != MATCH_FAILED)
			continue;
		assert_false(is_sound);
		assert_string_equal(check.why, m.why);
		n_failed++;
	}
	assert_true(n_failed > 1000);
}

static const struct sound_row {
	const char *name, *pattern, *why;
} sound_rows[] = {
	{"check: empty",			  "",								    ""					     },
	{"check: captures and classes",           "^!(%w+)%s*([^ ]*)()$",                                                ""                                             },
	{"check: again",			  "(['\"])%1",							   ""					     },
	{"check: a balance and a frontier",       "%b()%f[%w]",							  ""                                             },
	{"check: a set that is not reached",      "x[a",								 "malformed pattern (missing ']')"              },
	{"check: an escape that is not reached",  "x%",								  "malformed pattern (ends with '%')"            },
	{"check: a balance",                      "x%b(",								"malformed pattern (missing arguments to '%b')"},
	{"check: a frontier",                     "x%fa",								"missing '[' after '%f' in pattern"            },
	{"check: no such capture",                "x%1",								 "invalid capture index %1"                     },
	{"check: the capture it is in",           "(x%1)",							       "invalid capture index %1"                     },
	{"check: an open capture",                "x(",								  "unfinished capture"                           },
	{"check: an open one outside of another", "(x(y)",							       "unfinished capture"                           },
	{"check: one that is only closed",        "x)",								  "invalid pattern capture"                      },
	{"check: too many",                       "x()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()()",
         "too many captures"																	    },
	{"check: what is wrong first",            "x%1[",								"invalid capture index %1"                     },
};

static void a_pattern_is_checked(void **state)
{
	const struct sound_row *row = *state;
	struct match m;
	match_init(&m, STR(""), str_of(row->pattern), 0);
	match_anchor(&m);
	assert_int_equal(match_check(&m), row->why[0] == '\0');
	assert_string_equal(m.why, row->why);
}

static void a_match_costs_its_steps(void **state)
{
	struct match m;
	(void)state;
	match_init(&m, STR("aaaaaaaaab"), STR("a-a-a-a-c"), 100);
	assert_int_equal(match_find(&m, 0, MATCH_NOWHERE), MATCH_FAILED);
	assert_string_equal(m.why, "pattern too complex");
	assert_int_equal(match_find(&m, 0, MATCH_NOWHERE), MATCH_FAILED);

	match_init(&m, STR("aaaaaaaaab"), STR("a-a-a-a-c"), 10000);
	assert_int_equal(match_find(&m, 0, MATCH_NOWHERE), MATCH_NONE);
}

static void a_text_need_not_end_with_a_nul(void **state)
{
	struct match m;
	(void)state;
	match_init(&m, (struct str){"aab", 2}, (struct str){"a+b", 2}, 100);
	assert_int_equal(match_find(&m, 0, MATCH_NOWHERE), MATCH_FOUND);
	assert_true(str_eq(match_text(&m), STR("aa")));
	match_init(&m, (struct str){"aa]", 2}, (struct str){"[a]", 2}, 100);
	assert_int_equal(match_find(&m, 0, MATCH_NOWHERE), MATCH_FAILED);
}

/* The functions. */

static const struct source_row {
	const char *name, *source, *error; /* part of it; NULL: none */
} source_rows[] = {
	{"budget: least of any",                    "('a'):rep(3000):find('.-.-.-.-b')",                               "pattern too complex"       },
	{"budget: most of any",                     "('a'):rep(3000):find('.*.*.*.*b')",                               "pattern too complex"       },
	{"budget: for match",                       "('a'):rep(3000):match('a-a-a-a-b')",                              "pattern too complex"       },
	{"budget: for gmatch",                      "('a'):rep(3000):gmatch('.-.-.-.-b')()",                           "pattern too complex"       },
	{"budget: for gsub",                        "('a'):rep(3000):gsub('.-.-.-.-b', '')",                           "pattern too complex"       },
	{"budget: perhaps many times",              "('x'):rep(30):find(('x?'):rep(30) .. ('x'):rep(31))",
         "pattern too complex"														     },
	{"budget: many of many",                    "('x'):rep(100):find(('x*'):rep(30) .. 'y')",
         "pattern too complex"														     },
	{"budget: balance",                         "('('):rep(200000):find('%b()')",                                  "pattern too complex"       },
	{"budget: balance in gsub",                 "('('):rep(200000):gsub('%b()', '')",                              "pattern too complex"       },
	{"budget: again",			   "('a'):rep(20000):find('^(.-)%1%1b')",                             "pattern too complex"       },
	{"budget: again, and long",                 "('a'):rep(200000):find('(.*)%1b')",                               "pattern too complex"       },
	{"budget: frontier",                        "('a'):rep(3000):find('.-.-.-%f[b]')",                             "pattern too complex"       },
	{"budget: captures",                        "('a'):rep(3000):find('()(.-)()(.-)()(.-)b')",                     "pattern too complex"       },
	{"budget: a long set",                      "('a'):rep(100000):find('[' .. ('b'):rep(100000) .. ']')",
         "pattern too complex"														     },
	{"budget: a long set that is repeated",
         "('a'):rep(100000):find('^[^' .. ('b'):rep(100000) .. ']*b')",						"pattern too complex"       },
	{"budget: a long set, little of it",
         "('a'):rep(100000):find('^[^' .. ('b'):rep(100000) .. ']-b')",						"pattern too complex"       },
	{"budget: a long frontier",                 "('a'):rep(100000):find('%f[' .. ('b'):rep(100000) .. ']')",
         "pattern too complex"														     },
	{"budget: a long replacement",              "('a'):rep(100000):gsub('(b?)', ('%1'):rep(1000))",
         "pattern too complex"														     },
	{"budget: recursion",                       "('a'):rep(300):find(('a?'):rep(200))",                            "pattern too complex"       },
	{"budget: recursion that is just possible", "('a'):rep(300):find(('a?'):rep(199))",                            NULL                        },
	{"budget: a long text in one go",           "assert(#('a'):rep(1000000):match('^(.*)$') == 1000000)",
         NULL																      },
	{"budget: a long text, counted",
         "assert(select(2, ('ab'):rep(500000):gsub('b', '%0')) == 500000)",                                            NULL                        },
	{"budget: a long text, searched",           "assert(('a'):rep(1000000):find('b+') == nil)",                    NULL                        },
	{"budget: each match has all of it",
         "local n = 0 for _ in ('a '):rep(500000):gmatch('%a') do n = n + 1 end assert(n == 500000)",
         NULL																      },

	{"rep: as much as can be",                  "assert(#('x'):rep(16 << 20) == 16 << 20)",                        NULL                        },
	{"rep: one more",			   "('x'):rep((16 << 20) + 1)",                                       "resulting string too large"},
	{"rep: more than there are addresses",      "('x'):rep(math.maxinteger)",
         "resulting string too large"													      },
	{"rep: of more than one byte",              "('ab'):rep((8 << 20) + 1)",                                       "resulting string too large"},
	{"rep: with separators",                    "assert(#('a'):rep(8 << 20, 'b') == (16 << 20) - 1)",              NULL                        },
	{"rep: with separators, one more",          "('a'):rep((8 << 20) + 1, 'b')",
         "resulting string too large"													      },
	{"rep: of separators alone",                "(''):rep((16 << 20) + 2, 'b')",                                   "resulting string too large"},
	{"rep: of nothing",                         "assert((''):rep(1 << 62) == '' and (''):rep(1 << 62, '') == '')",
         NULL																      },
	{"rep: never",			      "assert(('x'):rep(0) == '' and ('x'):rep(-1, 'y') == '')",         NULL                        },
	{"rep: once",			       "assert(('x'):rep(1, ('y'):rep(100)) == 'x')",                     NULL                        },
	{"rep: some",
         "assert(('ab'):rep(5) == 'ababababab' and ('a\\0'):rep(2, '--') == 'a\\0--a\\0')",			    NULL			},
	{"rep: of a number",                        "assert(string.rep(12, 2, 3) == '12312')",                         NULL                        },

	{"long: found",
         "local s = ('ab '):rep(100000) .. 'x' assert(s:find('%a+x') == nil and s:match('%a$') == 'x')",
         NULL																      },
	{"long: a function that changes all",
         "local s, n = ('ab '):rep(100000):gsub('%a', string.upper)"
		" assert(n == 200000 and s == ('AB '):rep(100000))",						   NULL			},
	{"long: a table that changes some",
         "local s, n = ('ab '):rep(100000):gsub('%a', { a = 'xyz' })"
		" assert(n == 200000 and s == ('xyzb '):rep(100000))",						 NULL			},
	{"long: nothing that changes",
         "local s = ('ab '):rep(100000) assert(s:gsub('%a', {}) == s and s:gsub('x', '') == s)",		       NULL			},
	{"long: a replacement",                     "assert(('a'):gsub('a', ('x'):rep(100000)) == ('x'):rep(100000))",
         NULL																      },
};

static void a_source_ends(void **state)
{
	const struct source_row *row = *state;
	lua_State *L = open_state("", true);
	int status = luaL_dostring(L, row->source);
	const char *text = status == LUA_OK ? "no error" : lua_tostring(L, -1);
	if (row->error ? !strstr(text, row->error) : status != LUA_OK)
		fail_msg("%s", text);
	lua_close(L);
}

/* What both say to arguments that are wrong. */
static const struct argument_row {
	const char *name, *call;
} argument_rows[] = {
	{"arguments: find of none",                    "string.find()"                    },
	{"arguments: find without a pattern",          "('x'):find()"                     },
	{"arguments: find in a table",                 "string.find({}, 'x')"             },
	{"arguments: find of a table",                 "('x'):find({})"                   },
	{"arguments: find from a text",                "('x'):find('x', 'y')"             },
	{"arguments: find from a fraction",            "('x'):find('x', 1.5)"             },
	{"arguments: find in numbers",                 "string.find(1234, 23)"            },
	{"arguments: find plainly",                    "('a.b'):find('.', 1, 1)"          },
	{"arguments: find behind the end",             "('abc'):find('', 5)"              },
	{"arguments: find at the end",                 "('abc'):find('', 4)"              },
	{"arguments: find from far behind",            "('abc'):find('', math.maxinteger)"},
	{"arguments: find from far in front",          "('abc'):find('', math.mininteger)"},
	{"arguments: match without a pattern",         "('x'):match()"                    },
	{"arguments: match in nil",                    "string.match(nil, 'x')"           },
	{"arguments: match in numbers",                "string.match(1234, '%d', 3)"      },
	{"arguments: gmatch of none",                  "string.gmatch()"                  },
	{"arguments: gmatch without a pattern",        "('x'):gmatch()"                   },
	{"arguments: gmatch from a table",             "('x'):gmatch('x', {})"            },
	{"arguments: gmatch in numbers",               "string.gmatch(1234, 3)()"         },
	{"arguments: gmatch of a bad pattern",         "type(('x'):gmatch('['))"          },
	{"arguments: gsub of none",                    "string.gsub()"                    },
	{"arguments: gsub without a replacement",      "('x'):gsub('x')"                  },
	{"arguments: gsub with nil",                   "('x'):gsub('x', nil)"             },
	{"arguments: gsub with a boolean",             "('x'):gsub('x', true)"            },
	{"arguments: gsub with a text as limit",       "('x'):gsub('x', 'y', 'z')"        },
	{"arguments: gsub with two mistakes",          "('x'):gsub('x', nil, 'z')"        },
	{"arguments: gsub in numbers",                 "string.gsub(1231, 1, 7, 1)"       },
	{"arguments: gsub of an absent limit",         "('xx'):gsub('x', 'y', nil)"       },
	{"arguments: gsub with an error inside",       "('x'):gsub('x', error)"           },
	{"arguments: gsub with a table that raises",
         "('x'):gsub('x', setmetatable({}, { __index = function() error('no', 0) end }))" },
	{"arguments: rep of none",                     "string.rep()"                     },
	{"arguments: rep without a number",            "('x'):rep()"                      },
	{"arguments: rep of a fraction",               "('x'):rep(1.5)"                   },
	{"arguments: rep with a table between",        "('x'):rep(2, {})"                 },
	{"arguments: rep never, with a table between", "('x'):rep(0, {})"                 },
	{"arguments: rep of a table",                  "string.rep({}, 2)"                },
};

static void both_take_the_same_arguments(void **state)
{
	const struct argument_row *row = *state;
	char source[300];
	struct str said[2];
	lua_State *states[2] = {stock, ours};
	snprintf(source, sizeof(source),
		"local got = table.pack(pcall(function() return %s end))"
		" for i = 1, got.n do got[i] = tostring(got[i]) end"
		" return table.concat(got, ' ')",
		row->call);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(luaL_dostring(states[i], source), LUA_OK);
		said[i].p = lua_tolstring(states[i], -1, &said[i].n);
	}
	assert_slice(said[1], said[0].p);
	lua_settop(stock, 1);
	lua_settop(ours, 1);
}

/* Pauses and the lack of memory. */

static void a_function_that_replaces_may_pause(void **state)
{
	static const char source[] =
		"local co = coroutine.wrap(function(s, ...)\n"
		"  return s:gsub('(%a)(%d*)', function(a, b)\n"
		"    local got = coroutine.yield(a .. '=' .. b)\n"
		"    if got == 'error' then error('enough', 0) end\n"
		"    return got\n"
		"  end, ...)\n"
		"end)\n"
		"assert(co('a1 b2, c3 d4 e', 4) == 'a=1')\n"
		"assert(co('x') == 'b=2')\n"
		"collectgarbage()\n"
		"assert(co(nil) == 'c=3')\n"
		"assert(co(('y'):rep(5000)) == 'd=4')\n"
		"collectgarbage()\n"
		"local s, n = co(7)\n"
		"assert(n == 4 and s == 'x b2, ' .. ('y'):rep(5000) .. ' 7 e', s)\n"

		"co = coroutine.wrap(function() return ('aaa'):gsub('^a', coroutine.yield) end)\n"
		"assert(co() == 'a')\n"
		"s, n = co('b')\n"
		"assert(s == 'baa' and n == 1)\n"

		"co = coroutine.wrap(function() return ('abc'):gsub('', coroutine.yield) end)\n"
		"for _ = 1, 4 do assert(co('-') == '') end\n"
		"assert(co('-') == '-a-b-c-')\n"

		"co = coroutine.wrap(function() return pcall(string.gsub, 'abc', '.', coroutine.yield) end)\n"
		"assert(co() == 'a')\n"
		"local ok, why = co({})\n"
		"assert(not ok and why == 'invalid replacement value (a table)', why)\n"

		"co = coroutine.wrap(function(s) return s:gsub('.', coroutine.yield) end)\n"
		"local c, out = co(('abc'):rep(30000)), {}\n"
		"while #c == 1 do out[#out + 1] = c c = co(c:upper() .. c) end\n"
		"assert(#out == 90000 and c == ('AaBbCc'):rep(30000))\n";
	lua_State *L = open_state("", true);
	(void)state;
	if (luaL_dostring(L, source) != LUA_OK)
		fail_msg("%s", lua_tostring(L, -1));
	lua_close(L);
}

static void a_long_repetition_gives_others_their_turn(void **state)
{
	static const char source[] =
		"for _, n in ipairs { 2, 102, 103, 104, 20000, 50000 } do\n"
		"  local all, text = {}, 'abc'\n"
		"  for i = 1, n do all[i] = text end\n"
		"  assert(text:rep(n, ', ') == table.concat(all, ', '), n)\n"
		"  assert(text:rep(n) == table.concat(all), n)\n"
		"end\n"
		"local long = ('x'):rep(100000) .. 'y'\n"
		"assert(long:rep(3, 'z') == long .. 'z' .. long .. 'z' .. long)\n";
	lua_State *L = open_state("", true);
	int status, n;
	(void)state;
	eager_open_string(L);
	lua_State *T = lua_newthread(L);
	assert_int_equal(luaL_loadstring(T, source), LUA_OK);
	eager_turns = 0;
	for (status = lua_resume(T, L, 0, &n); status == LUA_YIELD;
		status = lua_resume(T, L, 0, &n))
		lua_gc(L, LUA_GCCOLLECT);
	if (status != LUA_OK)
		fail_msg("%s", lua_tostring(T, -1));
	assert_in_range(eager_turns, 30, 200);
	lua_close(L);
}

static void functions_may_be_called_within_each_other(void **state)
{
	static const char source[] =
		"local function twice(s) return (s:gsub('.', function(c)\n"
		"  return c:find('%a') and c:gsub('(.)', '%1%1') or c end)) end\n"
		"assert(twice('a1b2') == 'aa1bb2')\n"
		"local all = {}\n"
		"for a in ('a,b;c,d'):gmatch('[^;]+') do\n"
		"  for b in a:gmatch('[^,]+') do all[#all + 1] = b end\n"
		"end\n"
		"assert(table.concat(all) == 'abcd')\n"
		"local function deep(n) return n == 0 and 'x' or (('a'):gsub('a', function() return deep(n - 1) end)) end\n"
		"assert(deep(150) == 'x')\n"
		"assert(not pcall(deep, 1000))\n";
	lua_State *L = open_state("", true);
	(void)state;
	if (luaL_dostring(L, source) != LUA_OK)
		fail_msg("%s", lua_tostring(L, -1));
	lua_close(L);
}

struct memory {
	size_t used, n_left; /* allocations until all fail; 0: none does */
};

static void *allocate(void *data, void *p, size_t old_size, size_t new_size)
{
	struct memory *m = data;
	old_size = p ? old_size : 0;
	if (new_size > old_size && m->n_left == 1)
		return NULL;
	if (new_size > old_size && m->n_left)
		m->n_left--;
	void *q = new_size ? realloc(p, new_size) : NULL;
	if (!new_size)
		free(p);
	m->used += new_size - old_size;
	return q;
}

static int open_libraries(lua_State *L)
{
	luaL_openlibs(L);
	lib_open_string(L);
	return 0;
}

/* Runs a source, for which there are n - 1 allocations. */
static int run_short_of_memory(const char *source, size_t n)
{
	struct memory memory = {0};
	lua_State *L = lua_newstate(allocate, &memory);
	assert_non_null(L);
	lua_pushcfunction(L, open_libraries);
	assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_OK);
	assert_int_equal(luaL_loadstring(L, source), LUA_OK);
	lua_gc(L, LUA_GCSTOP);
	memory.n_left = n;
	int status = lua_pcall(L, 0, 0, 0);
	memory.n_left = 0;
	lua_close(L);
	assert_int_equal(memory.used, 0);
	return status;
}

static void memory_that_runs_out_is_an_error(void **state)
{
	static const char source[] =
		"local s = ('abc '):rep(300)\n"
		"s:gsub('%a', '%0%0') s:gsub('(%a)', { a = 'xyz' }) s:gsub('%a', string.upper)\n"
		"s:match('(%a+) (%a+)') s:find('()c') for a in s:gmatch('%a+') do s:match(a) end\n";
	size_t n = 1;
	int status;
	(void)state;
	do {
		status = run_short_of_memory(source, n++);
		assert_true(status == LUA_OK || status == LUA_ERRMEM);
	} while (status != LUA_OK && n < 1000);
	assert_true(n > 20 && n < 1000);
}

int main(void)
{
	struct check c = {0};
	stock = open_state(asking, false);
	ours = open_state(asking, true);
	check_rows(&c, pattern_rows, both_say_the_same);
	check_test(&c, both_say_the_same_of_random_patterns);
	check_test(&c, a_search_in_parts_finds_the_same);
	check_test(&c, a_check_finds_every_mistake_that_a_search_finds);
	check_rows(&c, sound_rows, a_pattern_is_checked);
	check_test(&c, a_match_costs_its_steps);
	check_test(&c, a_text_need_not_end_with_a_nul);
	check_rows(&c, source_rows, a_source_ends);
	check_rows(&c, argument_rows, both_take_the_same_arguments);
	check_test(&c, a_function_that_replaces_may_pause);
	check_test(&c, a_long_repetition_gives_others_their_turn);
	check_test(&c, functions_may_be_called_within_each_other);
	check_test(&c, memory_that_runs_out_is_an_error);
	int status = check_run(&c, "match");
	lua_close(stock);
	lua_close(ours);
	return status;
}
