package engine

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/words"
)

// What can keep Docker from being used. Errors of this package wrap them in a fault.Error with the remedy.
var (
	ErrNoClient     = errors.New("there is no docker client on PATH")
	ErrNotRunning   = errors.New("its engine does not answer")
	ErrNoPermission = errors.New("this user may not use its engine")
	ErrNoBuilder    = errors.New("its client cannot build with BuildKit")
	ErrSlowBuilder  = fmt.Errorf("its buildx plugin did not answer within %s", answerTimeout)
)

// setupCommand is what remedies tell the user to run.
const setupCommand = "`go tool mage setup`"

func unusable(cause error) error {
	remedy := map[error]string{
		ErrNoClient:     "run " + setupCommand,
		ErrNotRunning:   "start Docker, or run " + setupCommand + " as root",
		ErrNoPermission: "run `sudo usermod -aG docker \"$USER\"` and log in again, or run this as root",
		ErrNoBuilder:    "run " + setupCommand + ", which provides the buildx plugin",
		ErrSlowBuilder:  "run this again when the machine is less busy; `docker buildx version` shows whether it answers at all",
	}[cause]
	return fault.Wrap(cause, fault.CodeEnvironment, "Docker cannot be used", remedy)
}

// hangs is an engine that accepts questions and does not answer.
func hangs(after time.Duration) error {
	return fault.Wrap(ErrNotRunning, fault.CodeEnvironment, fmt.Sprintf("Docker cannot be used: nothing came within %s", after), "restart Docker; its log tells why it hangs")
}

// explanations are tried in order on what a failed command printed, in lower case. They match Docker's own messages
// only: what a build step prints comes the same way, and must not be mistaken for them.
var explanations = []struct {
	signs  *regexp.Regexp
	what   string
	remedy string
	cause  error // replaces what, where one of the errors above says it
}{
	{regexp.MustCompile(`permission denied while trying to connect to the docker|dial unix \S*docker\S*: connect: permission denied`), "", "", ErrNoPermission},
	{regexp.MustCompile(`cannot connect to the docker daemon|failed to connect to the docker api|is the docker daemon running\?|` +
		`dial unix \S*docker\S*: connect: (connection refused|no such file)`), "", "", ErrNotRunning},
	{regexp.MustCompile(`no space left on device|disk quota exceeded|you don't have enough free space in`), "the disk is full",
		"free some space: `df -h` shows where, `docker system df` what Docker holds, `docker system prune` removes what nothing uses", nil},
	{regexp.MustCompile(`port is already allocated|failed to bind host port|userland proxy.*address already in use`), "a port is taken",
		"`go tool mage doctor` names the process; end it, or choose other ports with TODO_HTTP_PORT and TODO_HTTPS_PORT", nil},
	{regexp.MustCompile(`cannot expose privileged port`), "a rootless engine may not use ports below 1024",
		"choose others with TODO_HTTP_PORT and TODO_HTTPS_PORT, or allow it: sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80", nil},
	{regexp.MustCompile(`unable to apply caps`), "this machine cannot grant a container every capability",
		"run " + setupCommand + " as root, which registers a container runtime that does without", nil},
	{regexp.MustCompile(`inotify.*too many open files|too many open files.*inotify`), "the kernel's inotify limits are too low",
		"run " + setupCommand + " as root, which raises them", nil},
	{regexp.MustCompile(`: signal: killed|exit code: 137\b`), "a build step was killed, as happens where memory runs out",
		"end other programs or give this machine, or Docker, more memory; a second run goes on where this one stopped", nil},
}

// Explain turns a failure of a docker command, of a build, or one that quotes it, into a fault with a remedy where its
// cause lies in the machine: an engine that went away, a full disk, a taken port. What is a fault already stays as it
// is. It gives nil for any other failure, and for a run that was interrupted.
func Explain(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	text := err.Error()
	var e *run.Error
	var r *Refusal
	switch { // what was said is shorter than the error that also tells what was asked
	case errors.As(err, &e):
		text = e.Output + "\n" + text
	case errors.As(err, &r):
		text = r.Said + "\n" + text
	}
	for _, x := range explanations {
		for line := range strings.Lines(text) {
			if !x.signs.MatchString(strings.ToLower(line)) {
				continue
			}
			if x.cause != nil {
				return unusable(x.cause)
			}
			return fault.New(fault.CodeEnvironment, x.what+": "+words.End(strings.TrimSpace(line), 300), x.remedy)
		}
	}
	return nil
}
