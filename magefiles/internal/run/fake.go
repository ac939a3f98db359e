package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// Fake is a Runner for tests. It answers from rules and records every command.
type Fake struct {
	mu    sync.Mutex
	rules []rule
	calls []Cmd
}

type rule struct {
	prefix string
	answer func(Cmd) (string, error)
}

// Failed is the failure of a faked command with an exit code, or -1 for one that did not start or was killed, and
// with what it printed to its end.
func Failed(code int, output string) error {
	return &Error{Code: code, Output: output, Err: fmt.Errorf("exit status %d", code)}
}

// On answers commands whose text starts with prefix; the rule added last wins. A non-nil err makes the command fail:
// with exit code 1 and stdout as its output, unless it comes from Failed.
func (f *Fake) On(prefix, stdout string, err error) *Fake {
	return f.OnFunc(prefix, func(Cmd) (string, error) { return stdout, err })
}

// OnFunc answers like On, by a function.
func (f *Fake) OnFunc(prefix string, answer func(Cmd) (string, error)) *Fake {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, rule{prefix, answer})
	return f
}

// Run answers from the rules. A command that no rule knows fails, so that a test notices it.
func (f *Fake) Run(ctx context.Context, c Cmd) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, &Error{Cmd: c.String(), Code: -1, Err: err}
	}
	f.mu.Lock()
	f.calls = append(f.calls, c)
	answer := func(Cmd) (string, error) { return "", fmt.Errorf("no rule for %q", c.String()) }
	for _, r := range f.rules {
		if strings.HasPrefix(c.String(), r.prefix) {
			answer = r.answer
		}
	}
	f.mu.Unlock()

	out, err := answer(c)
	if c.Line != nil {
		for line := range strings.Lines(out) {
			c.Line(strings.TrimRight(line, "\n"))
		}
	}
	if err != nil {
		failed := Error{Code: 1, Output: out, Err: err}
		var told *Error
		if errors.As(err, &told) {
			failed = *told
		}
		failed.Cmd = c.String()
		return Result{Stdout: out}, &failed
	}
	if c.Stdout != nil {
		_, err := io.WriteString(c.Stdout, out)
		return Result{}, err
	}
	return Result{Stdout: out}, nil
}

// Calls gives the commands run so far, as typed.
func (f *Fake) Calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]string, len(f.calls))
	for i, c := range f.calls {
		out[i] = c.String()
	}
	return out
}
