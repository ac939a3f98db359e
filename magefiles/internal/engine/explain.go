package engine

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

// What can keep Docker from being used. Errors of this package wrap them in a fault.Error with the remedy.
var (
	ErrNoClient     = errors.New("there is no docker client on PATH")
	ErrNotRunning   = errors.New("its engine does not answer")
	ErrNoPermission = errors.New("this user may not use its engine")
	ErrNoBuilder    = errors.New("its client cannot build with BuildKit")
)

// setupCommand is what remedies tell the user to run.
const setupCommand = "`go tool mage setup`"

func unusable(cause error) error {
	remedy := map[error]string{
		ErrNoClient:     "run " + setupCommand,
		ErrNotRunning:   "start Docker, or run " + setupCommand + " as root",
		ErrNoPermission: "run `sudo usermod -aG docker \"$USER\"` and log in again, or run this as root",
		ErrNoBuilder:    "run " + setupCommand + ", which provides the buildx plugin",
	}[cause]
	return fault.Wrap(cause, fault.CodeEnvironment, "Docker cannot be used", remedy)
}

// explanations are tried in order on what a failed command printed, in lower case. They match Docker's own messages only: what a build step prints
// comes the same way, and must not be mistaken for them.
var explanations = []struct {
	signs  *regexp.Regexp
	what   string
	remedy string
	cause  error // replaces what, where one of the errors above says it
}{
	{regexp.MustCompile(`permission denied while trying to connect to the docker|dial unix \S*docker\S*: connect: permission denied`), "", "", ErrNoPermission},
	{regexp.MustCompile(`cannot connect to the docker daemon|failed to connect to the docker api|is the docker daemon running\?|` +
		`dial unix \S*docker\S*: connect: (connection refused|no such file)`), "", "", ErrNotRunning},
	{regexp.MustCompile(`no space left on device|disk quota exceeded`), "the disk is full",
		"free some space: `df -h` shows where, `docker system df` what Docker holds, `docker system prune` removes what nothing uses", nil},
	{regexp.MustCompile(`port is already allocated|failed to bind host port|userland proxy.*address already in use`), "a port is taken",
		"`go tool mage doctor` names the process; end it, or choose other ports with TODO_HTTP_PORT and TODO_HTTPS_PORT", nil},
	{regexp.MustCompile(`unable to apply caps`), "this machine cannot grant a container every capability",
		"run " + setupCommand + " as root, which registers a container runtime that does without", nil},
	{regexp.MustCompile(`inotify.*too many open files|too many open files.*inotify`), "the kernel's inotify limits are too low",
		"run " + setupCommand + " as root, which raises them", nil},
}

// Explain turns a failure of a docker command, or one that quotes it, into a fault with a remedy where its cause lies in the machine: an engine that
// went away, a full disk, a taken port. It gives nil for any other failure, and for a run that was interrupted.
func Explain(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	text := err.Error()
	var e *run.Error
	if errors.As(err, &e) {
		text += "\n" + e.Output
	}
	text = strings.ToLower(text)
	for _, x := range explanations {
		if !x.signs.MatchString(text) {
			continue
		}
		if x.cause != nil {
			return unusable(x.cause)
		}
		return fault.Wrap(err, fault.CodeEnvironment, x.what, x.remedy)
	}
	return nil
}
