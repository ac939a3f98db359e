package devtest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhatFailedIsShownAgain(t *testing.T) {
	for name, c := range map[string]struct{ output, again string }{
		"as it comes": {`=== RUN   TestLife
=== RUN   TestLife/deploy
    life_test.go:1: deployed
=== RUN   TestLife/side_by_side
=== PAUSE TestLife/side_by_side
=== CONT  TestLife/side_by_side
    life_test.go:2: the browser says
        1 failed
=== NAME  TestLife/deploy
    life_test.go:3: undone
=== NAME  TestLife/side_by_side
    life_test.go:4: expected 0
--- FAIL: TestLife (1.00s)
    --- PASS: TestLife/deploy (0.50s)
    --- FAIL: TestLife/side_by_side (0.50s)
FAIL
`, `
This failed: TestLife/side_by_side
    life_test.go:2: the browser says
        1 failed
    life_test.go:4: expected 0
`},
		"at the end": {`--- FAIL: TestSum (0.00s)
    sum_test.go:1: 2 is not 3
E0101 a line of the log of another test
	and its stack
FAIL
FAIL	example/sum	0.01s
ok  	example/other	0.01s
`, `
This failed: TestSum
    sum_test.go:1: 2 is not 3
`},
		"nothing": {"=== RUN   TestSum\n--- PASS: TestSum (0.00s)\nPASS\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var f failures
			for line := range strings.Lines(c.output) {
				f.line(strings.TrimSuffix(line, "\n"))
			}
			assert.Equal(t, c.again, f.again())
		})
	}
}

func TestOfALongTestTheEndIsShownAgain(t *testing.T) {
	var f failures
	f.line("=== RUN   TestLong")
	for range 1000 {
		f.line("a line")
	}
	f.line("the last line")
	f.line("--- FAIL: TestLong (9.00s)")
	assert.Equal(t, []string{"TestLong"}, f.tests())
	assert.Equal(t, mostLines, strings.Count(f.again(), "line"))
	assert.Contains(t, f.again(), "the last line")
}
