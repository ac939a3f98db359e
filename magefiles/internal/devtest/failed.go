package devtest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// mostLines is how much of a failed test's output is shown again.
const mostLines = 120

// failures remembers what go test prints of each test, so that what failed can be shown again at the end of a long run.
type failures struct {
	current string // the test whose output comes
	over    bool   // it has ended, as without -v: then only what is indented is its output
	lines   map[string][]string
	failed  []string
}

var (
	goesOn  = regexp.MustCompile(`^=== (?:RUN|CONT|NAME) +(\S+)`)
	verdict = regexp.MustCompile(`^(?:FAIL|PASS|ok)\b|^=== PAUSE `)
	ended   = regexp.MustCompile(`^ *--- (FAIL|PASS|SKIP): (\S+) \(`)
)

// line takes the next line.
func (f *failures) line(line string) {
	if m := goesOn.FindStringSubmatch(line); m != nil {
		f.current, f.over = m[1], false
		return
	}
	if m := ended.FindStringSubmatch(line); m != nil {
		f.current, f.over = m[2], true
		if m[1] == "FAIL" {
			f.failed = append(f.failed, m[2])
		}
		return
	}
	if verdict.MatchString(line) || f.over && !strings.HasPrefix(line, "    ") {
		return
	}
	if f.lines == nil {
		f.lines = map[string][]string{}
	}
	f.lines[f.current] = append(f.lines[f.current], line)
	f.lines[f.current] = f.lines[f.current][max(0, len(f.lines[f.current])-mostLines):]
}

// tests are those that failed by themselves, and not by a part of theirs.
func (f *failures) tests() []string {
	return slices.DeleteFunc(slices.Clone(f.failed), func(test string) bool {
		return slices.ContainsFunc(f.failed, func(other string) bool { return strings.HasPrefix(other, test+"/") })
	})
}

// again is the end of what each of them printed.
func (f *failures) again() string {
	var b strings.Builder
	for _, test := range f.tests() {
		fmt.Fprintf(&b, "\nThis failed: %s\n%s\n", test, strings.Join(f.lines[test], "\n"))
	}
	return b.String()
}
