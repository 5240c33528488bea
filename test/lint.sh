#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Checks what the compiler does not see: form, size, layers, words, scripts, commit subjects.
#
#   test/lint.sh [PATH...]     checks all tracked files, or those below PATH. Each finding is one line
#                              "file:line: what"; the last line is "lint: N files, M findings".
#                              Exit 0 without findings, 1 with some, 2 when the check itself failed.
#   test/lint.sh --fix [PATH...]   formats the C files in place
#
# Needs on Debian: clang-format universal-ctags shellcheck cppcheck python3 git. Every check_* function
# writes its findings to standard output; what comes to standard error is a failure of the check.
#
# shellcheck disable=SC2016 # programs for awk stand in single quotes
set -eu
export LC_ALL=C.UTF-8
cd "$(dirname "${BASH_SOURCE[0]}")/.."

max_file_lines=600
max_function_lines=100

# Who may include whom: folder, its name in #include "name/...", and the layers it may see. "dpdk", "io"
# (sockets and event loops) and "clock" stand for what engines must not touch. The build refuses most
# of this too, but only where a library is honest about its dependencies.
layers='
lib/base            base      base clock
lib/boundary        boundary  base boundary dpdk clock
lib/datapath        datapath  base boundary datapath dpdk clock
lib/control/ike     ike       base ike
lib/control/bgp     bgp       base bgp
lib/control/bfd     bfd       base bfd
lib/control/health  health    base health
lib/control/neigh   neigh     base neigh
lib/control/conf    conf      base conf
lib/control/model   model     base boundary bgp conf model
lib/control/api     api       base conf model api dpdk io clock
lib/control/host    host      base host io clock
lib/control/router  router    base boundary ike bgp bfd health neigh conf model api host router dpdk io clock
drivers             drivers   base boundary drivers dpdk io clock
'

# The tree may belong to somebody else than root, who runs this.
git() {
  command git -c safe.directory="$PWD" "$@"
}

# Inputs of fuzzers are bytes, not text.
tracked() {
  git ls-files --cached -- "$@" ':!test/fuzz/corpus' | while IFS= read -r file; do
    [ -f "$file" ] && [ ! -L "$file" ] && printf '%s\n' "$file"
  done
  return 0
}

# The files to check whose names match an extended regular expression.
files() {
  grep -E -- "$1" "$all" || true
}

# Runs a command on such files, many at a time: each FILES-REGEX COMMAND...
each() {
  local regex=$1
  shift
  files "$regex" | tr '\n' '\0' | xargs -0 -r "$@"
}

c_files='\.[ch]$'
# Files with a licence line: everything that takes comments and is not prose.
source_files='\.([chs]|sh|py|ya?ml|service|awk)$|(^|/)meson(\.build|_options\.txt)$|^\.ci/|(^|/)\.[a-z-]+$'

check_format() {
  clang-format --dump-config >/dev/null # complains of a bad .clang-format
  each "$c_files" -n 16 -P 2 clang-format --dry-run --ferror-limit=1 2>&1 |
    sed -nE 's/^([^: ]+:[0-9]+):[0-9]+: .*should be clang-formatted.*/\1: not formatted (--fix does it)/p' |
    sort -t: -k1,1 -k2,2n | awk -F: '!seen[$1]++'
}

check_licence() {
  each "$source_files" awk '
    function finish() {
      if (file != "" && !found)
        print file ":1: no SPDX-License-Identifier: BSD-3-Clause in the first 3 lines"
    }
    FNR == 1 { finish(); file = FILENAME; found = 0 }
    FNR <= 3 && /SPDX-License-Identifier: BSD-3-Clause/ { found = 1 }
    END { finish() }'
}

check_whitespace() {
  each . grep -InE '[[:blank:]]+$' /dev/null | sed -E 's/^([^:]+:[0-9]+):.*/\1: trailing white space/'
  each . grep -ILzP '\n\z' | sed 's/$/:1: does not end with a newline/'
  each . grep -InP '\r$' /dev/null | sed -E 's/^([^:]+:[0-9]+):.*/\1: carriage return/'
  each '\.(md|ya?ml|py)$|(^|/)meson(\.build|_options\.txt)$' grep -InP '\t' /dev/null |
    sed -E 's/^([^:]+:[0-9]+):.*/\1: tab/'
}

check_layers() {
  each '^(lib|drivers)/.*\.[ch]$' awk -v table="$layers" '
    BEGIN {
      rows = split(table, row, "\n")
      for (i = 1; i <= rows; i++) {
        n = split(row[i], word, " ")
        if (n == 0)
          continue
        name[word[1]] = word[2]
        is_layer[word[2]] = 1
        for (j = 3; j <= n; j++)
          allowed[word[2], word[j]] = 1
      }
    }
    function say(what) { print FILENAME ":" FNR ": " what }
    function need(capability, what) {
      if (!((layer, capability) in allowed))
        say(layer " must not use " what)
    }
    FNR == 1 {
      split(FILENAME, part, "/")
      folder = part[1] == "drivers" ? part[1] : part[1] "/" part[2]
      if (folder == "lib/control")
        folder = folder "/" part[3]
      layer = name[folder]
      if (layer == "")
        say(folder " has no row in the table of layers of test/lint.sh")
    }
    layer == "" { next }
    /^[ \t]*#[ \t]*include[ \t]*"/ {
      split($0, quoted, "\"")
      target = quoted[2]
      first = target
      sub("/.*", "", first)
      if (first == "..")
        say("include leaves its folder: " target)
      if (layer == "datapath" && target ~ "^base/(log|mem)[.]h$")
        say("workers neither log nor allocate")
      if (target ~ "/" && first in is_layer && !((layer, first) in allowed))
        say(layer " must not include " target)
    }
    /^[ \t]*#[ \t]*include[ \t]*</ {
      if ($0 ~ "<(rte_|cmdline|ethdev_|bus_)")
        need("dpdk", "DPDK")
      if ($0 ~ "<(event2/|sys/(socket|epoll|timerfd)|poll[.]h|netdb[.]h|linux/if_tun)")
        need("io", "sockets or event loops")
      if (layer == "datapath" && $0 ~ "<(syslog|pthread)[.]h")
        say("workers neither log nor lock")
    }
    /^ \*|^\t*\/\*/ { next } # comments
    /[^a-z_](mono_now|clock_gettime|gettimeofday|rng_init_system|getrandom)\(|[^a-z_]time\((NULL|0|&)/ {
      need("clock", "a clock or randomness that was not passed in")
    }'
}

check_sizes() {
  each '^(lib|app|drivers)/.*\.(c|h|py|sh)$' awk -v max="$max_file_lines" '
    FNR == max + 1 { print FILENAME ":" FNR ": file of more than " max " lines" }'
  each '\.(c|h|py)$' ctags -x --_xformat='%F %n %{end} %N' --kinds-C=f --kinds-Python=fm \
    --langmap=C:.c.h | awk -v max="$max_function_lines" '
    $3 - $2 + 1 > max { print $1 ":" $2 ": " $4 "() has " $3 - $2 + 1 " lines, more than " max }'
}

# Markers of unfinished work. The brackets keep this line from finding itself.
check_words() {
  each "$source_files" grep -InwE '[T]ODO|[F]IXME|[X]XX' /dev/null |
    sed -E 's/^([^:]+:[0-9]+):.*/\1: marker of unfinished work/'
}

# Subjects read "area: what it does", imperative, in lower case. The first commit is where history starts.
check_commits() {
  local verbs='add|fix|make|remove|change|update|use|move|rename|write|test|build|check|replace|implement'

  git log --no-merges --format='%h %P%x09%s' | awk -F'\t' -v verbs="$verbs" '
    { split($1, id, " ") }
    id[2] == "" { next }
    function say(what) { print "commit " id[1] ":1: subject " what ": " $2 }
    $2 !~ /^[a-z][a-z0-9_.\/-]*(, ?[a-z][a-z0-9_.\/-]*)*: / { say("does not start with \"area: \""); next }
    $2 ~ /\.$/ { say("ends with a full stop") }
    length($2) > 90 { say("is longer than 90 characters") }
    $2 ~ ": (" verbs ")(s|es|d|ed|ing) " { say("is not imperative") }'
}

# What is sourced, and so has no "#!" line, shares variables with others.
check_shell() {
  local first='FNR == 1 && (substr($0, 1, 2) == "#!") == program { print FILENAME }'

  {
    each '\.sh$|^\.ci/' awk -v program=0 "$first" | xargs -r shellcheck -f gcc -S info -x -e SC1091,SC2034,SC2154
    each '\.sh$|^\.ci/' awk -v program=1 "$first" | xargs -r shellcheck -f gcc -S info -x -e SC1091
  } | sed -E 's/^([^:]+:[0-9]+):[0-9]+: [a-z]+: /\1: /'
}

check_python() {
  each '\.py$' python3 -c '
import sys
for name in sys.argv[1:]:
    try:
        with open(name, "rb") as f:
            compile(f.read(), name, "exec")
    except SyntaxError as e:
        print(f"{name}:{e.lineno or 1}: {e.msg}")
'
}

# Of cppcheck what it knows better than the compiler, which has -Wformat and -Warray-bounds.
check_cppcheck() {
  local include name folder

  include=$(mktemp -d "$work/include.XXXX")
  while read -r folder name _; do
    [ -n "$folder" ] && [ -d "$folder" ] && ln -s "$PWD/$folder" "$include/$name"
  done <<<"$layers"
  each '\.c$' cppcheck --quiet -j 2 --std=c11 --inline-suppr \
    --enable=warning,performance,portability --suppress=missingInclude \
    --suppress=missingIncludeSystem --suppress=unknownMacro --suppress=arrayIndexOutOfBounds --suppress=autoVariables \
    --suppress=invalidPrintfArgType_sint --suppress=invalidPrintfArgType_uint \
    --template='{file}:{line}: {message} [{id}]' -I "$include" -I test/unit 2>&1 |
    awk '/^[^ :]+:[0-9]+: / { print; next } { print > "/dev/stderr" }'
}

# Every rule has a test that is there.
check_conformance() {
  python3 test/conformance.py
}

need() {
  local tool missing=''

  for tool in "$@"; do
    command -v "$tool" >/dev/null || missing+=" $tool"
  done
  if [ -n "$missing" ]; then
    echo "lint: not installed:$missing" >&2
    exit 2
  fi
}

main() {
  local fix=no check checks='format licence whitespace layers sizes words shell python cppcheck'

  if [ "${1-}" = --fix ]; then
    fix=yes
    shift
  fi
  need git clang-format
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  all=$work/files
  tracked "$@" >"$all"
  if [ ! -s "$all" ]; then
    echo "lint: no files of the repository here" >&2
    exit 2
  fi
  if [ $fix = yes ]; then
    each "$c_files" clang-format -i
    exit 0
  fi
  need ctags shellcheck cppcheck python3
  [ $# -gt 0 ] || checks+=' commits conformance'
  for check in $checks; do
    "check_$check" || true # grep and xargs fail for want of findings
  done >"$work/findings" 2>"$work/errors"
  if [ -s "$work/errors" ]; then
    cat "$work/errors" >&2
    echo "lint: the check itself failed" >&2
    exit 2
  fi
  sort -u -t: -k1,1 -k2,2n -k3 "$work/findings" | tee "$work/sorted"
  echo "lint: $(wc -l <"$all") files, $(wc -l <"$work/sorted") findings"
  [ ! -s "$work/sorted" ]
}

main "$@"
