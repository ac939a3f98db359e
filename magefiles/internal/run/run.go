// Package run is the only place that starts a process. Commands are argv slices, never shell text; every one ends with
// its context, first by SIGTERM to its whole process group and after a grace period by SIGKILL; what it printed last is
// part of its error. Secrets are kept out of whatever may be shown.
package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"todo.local/magefiles/internal/words"
)

// Cmd is one command to run.
type Cmd struct {
	Name  string    // program: a name looked up on PATH, or a path
	Args  []string  // its arguments; secrets never go here
	Dir   string    // working directory; the caller's where empty
	Env   []string  // KEY=value pairs on top of the caller's environment
	Bare  bool      // Env is the whole environment
	Stdin io.Reader // standard input; none where nil
	// Stdout takes standard output where it is set; otherwise Result.Stdout holds it.
	Stdout io.Writer
	// Line gets every line of standard error, and of standard output unless Stdout is set, as it appears.
	Line func(string)
	// Confine holds the process to the files and ports named; nil lets it do what the caller may.
	Confine *Confinement
	// Grace is how long the process may take to end after SIGTERM; 5 s where zero.
	Grace time.Duration
}

// String gives the command as it would be typed, for messages.
func (c Cmd) String() string { return strings.Join(append([]string{c.Name}, c.Args...), " ") }

// Result is what a command left behind.
type Result struct {
	Stdout string // standard output, unless Cmd.Stdout took it
	Stderr string // the last 64 KiB of standard error
}

// Runner runs commands. Exec is the real one; tests use Fake.
type Runner interface {
	Run(ctx context.Context, cmd Cmd) (Result, error)
}

// Error is a command that could not be started or did not exit with 0.
type Error struct {
	Cmd    string // the command as typed
	Code   int    // its exit code; -1 where it did not start or was killed
	Output string // the last lines that it printed
	Err    error
}

// Error names the command, how it ended and the line of its output that tells why.
func (e *Error) Error() string {
	msg := fmt.Sprintf("%s: %v", words.Short(e.Cmd, 120), e.Err)
	if why := Telling(e.Output); why != "" {
		msg += ": " + words.Short(why, 400)
	}
	return msg
}

// Unwrap gives the cause: the context's error where that ended the command.
func (e *Error) Unwrap() error { return e.Err }

// Exec runs commands as processes of this machine. What a command prints may name a secret that it was given: none of
// those in Hide shows in a line or an error. Result.Stdout, which programs read, is as the command wrote it. Nor does a
// command inherit a variable whose value is one: it gets those that Cmd.Env names.
type Exec struct{ Hide []string }

// shortestSecret is the length below which hiding a value would garble words that have nothing to do with it.
const shortestSecret = 6

// redactor replaces the secrets.
func (e Exec) redactor() *strings.Replacer {
	var pairs []string
	for _, secret := range e.Hide {
		if len(secret) >= shortestSecret {
			pairs = append(pairs, secret, "[hidden]")
		}
	}
	return strings.NewReplacer(pairs...)
}

// secret tells whether a KEY=value pair has one of the secrets as its value. A short one says nothing: a database's
// password may well be a user's name.
func (e Exec) secret(pair string) bool {
	_, value, _ := strings.Cut(pair, "=")
	return len(value) >= shortestSecret && slices.Contains(e.Hide, value)
}

// Run starts the command and waits for it.
func (e Exec) Run(ctx context.Context, c Cmd) (Result, error) {
	var stdout bytes.Buffer
	stderr := &tail{max: 64 << 10}
	all := &tail{max: 8 << 10}
	lines := &Lines{}
	hide := e.redactor()
	if c.Line != nil {
		lines.Emit = func(line string) { c.Line(hide.Replace(line)) }
	}

	// Ending the process is our own business below, so that its group gets SIGTERM before SIGKILL.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), c.Name, c.Args...)
	cmd.Dir, cmd.Stdin = c.Dir, c.Stdin
	if !c.Bare {
		cmd.Env = slices.DeleteFunc(os.Environ(), e.secret)
	}
	cmd.Env = append(cmd.Env, c.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = io.MultiWriter(stderr, all, lines)
	if c.Stdout != nil {
		cmd.Stdout = c.Stdout
	} else {
		cmd.Stdout = io.MultiWriter(&stdout, all, lines)
	}
	cmd.WaitDelay = 2 * time.Second // a grandchild that keeps a pipe open must not hold us

	fail := func(code int, err error) (Result, error) {
		return Result{Stdout: stdout.String(), Stderr: hide.Replace(stderr.String())},
			&Error{Cmd: hide.Replace(c.String()), Code: code, Output: hide.Replace(all.String()), Err: err}
	}
	if err := ctx.Err(); err != nil {
		return fail(-1, err)
	}
	start := cmd.Start
	if c.Confine != nil {
		start = func() error { return c.Confine.start(cmd) }
	}
	if err := start(); err != nil {
		return fail(-1, err)
	}
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = cmd.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
		terminate(cmd.Process.Pid, c.Grace, done)
		lines.Flush()
		return fail(-1, ctx.Err())
	}
	lines.Flush()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return fail(exit.ExitCode(), err)
		}
		return fail(-1, err)
	}
	return Result{Stdout: stdout.String(), Stderr: hide.Replace(stderr.String())}, nil
}

// terminate ends a process group and waits until its leader is gone.
func terminate(pid int, grace time.Duration, done <-chan struct{}) {
	if grace == 0 {
		grace = 5 * time.Second
	}
	_ = syscall.Kill(-pid, syscall.SIGTERM)
	select {
	case <-done:
	case <-time.After(grace):
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		<-done
	}
}

// Output runs a command and gives its standard output without the white space around it.
func Output(ctx context.Context, r Runner, name string, args ...string) (string, error) {
	res, err := r.Run(ctx, Cmd{Name: name, Args: args})
	return strings.TrimSpace(res.Stdout), err
}

// Redact hides in a text what a runner hides in what its commands print.
func Redact(r Runner, text string) string {
	if e, ok := r.(Exec); ok {
		return e.redactor().Replace(text)
	}
	return text
}
