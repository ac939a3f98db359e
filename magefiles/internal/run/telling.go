package run

import (
	"errors"
	"regexp"
	"strings"
)

// asides are lines that a failing command prints around its reason: how to ask for help, where to read more, the
// frames of a stack trace. The reason stands before them. A row for a program that says something new after its
// reason goes here, and into the test.
var asides = regexp.MustCompile(strings.Join([]string{
	`^-*$`,
	// docker, and programs with a command line like its own
	`^(see|run) ['"\x60].* (--help|-h)['"\x60]`, `^for more (help|information)`, `^see "systemctl status `, `^view build details:`, `^usage:`,
	`^what's next:`, `^error: failed to start containers: `, `^learn more `, `^to see the stack trace of this error`,
	// stack traces of Go: of a panic, and of an error that carries one
	`^goroutine \d+ `, `^created by `, `^\[signal `, `^\S+\.(go|s):\d+( \+0x[0-9a-f]+)?$`, `^[\w./*()-]+\.[\w.*()\[\]-]+(\(.*\))?$`, `^exit status \d+$`,
	`^\.\.\.additional frames elided`,
	// npm, pip, apt
	`^npm (err!|error) (a complete log|code |errno |in most cases|this is probably)`, `^npm (err!|error)$`, `^npm notice`,
	`^\[notice\]`, `^(note|hint): `, `^╰─>`,
}, "|"))

// Telling gives the line of a failed command's output that tells why: the last one that is no aside. It is empty
// where the command said nothing.
func Telling(output string) string {
	lines := strings.Split(output, "\n")
	last := ""
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.TrimSpace(lines[i])
		if line == "" {
			continue
		}
		if last == "" {
			last = line
		}
		if !asides.MatchString(strings.ToLower(line)) {
			return line
		}
	}
	return last
}

// Reason shortens a failed command to the line that tells why: the command itself is too long for a line.
func Reason(err error) error {
	var e *Error
	if errors.As(err, &e) {
		if why := Telling(e.Output); why != "" {
			return errors.New(why)
		}
	}
	return err
}
