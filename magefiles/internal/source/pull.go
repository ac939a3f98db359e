package source

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

const (
	// pullPatience is how long a registry is asked again that limits, fails or keeps silent.
	pullPatience = time.Minute
	// firstAnswer is how long the engine may take to say anything of an image. A registry that is slow, and works,
	// takes seconds.
	firstAnswer = 20 * time.Second
	// pullLimit is how long one image may take. None is larger than 500 MB.
	pullLimit = 15 * time.Minute
	// firstPause lies between the first two questions; each further one is twice as long.
	firstPause = 2 * time.Second
)

// Pull has the engine fetch an image, and so by way of the mirrors, proxies, certificates and logins that it knows. A
// registry that limits, fails or keeps silent is asked again for a minute, with growing pauses, or after the time that
// its message names: the engine does not pass on the header Retry-After.
func Pull(ctx context.Context, t *ui.Task, d *engine.Docker, ref string) error {
	return pull(ctx, t, d, ref, pullLimit).fault(ref)
}

// refusal is a pull that gave no image.
type refusal struct {
	kind  refusalKind
	said  string // by the engine, in one line
	cause error
}

type refusalKind int

const (
	broken      refusalKind = iota // the machine is to blame, or nobody knows
	unreachable                    // no network, no such name, nobody there
	denied                         // a login is missing, or this is not allowed
	untrusted                      // the registry's certificate
	absent                         // the registry has no such image
	later                          // a limit, a fault of the server, silence: it may work in a moment
	slow                           // it came, and too slowly
)

// signs are tried in order on the line in which the engine says why it has no image, in lower case.
var signs = []struct {
	pattern *regexp.Regexp
	kind    refusalKind
}{
	{regexp.MustCompile(`toomanyrequests|too many requests|\b429\b|rate limit`), later},
	{regexp.MustCompile(`no such host|\blookup \S+|name resolution|connection refused|network is unreachable|no route to host`), unreachable},
	{regexp.MustCompile(`x509: |certificate|server gave http response to https client`), untrusted},
	{regexp.MustCompile(`\b50[0234]\b|timeout|deadline exceeded|request canceled|connection reset|broken pipe|\beof\b`), later},
	{regexp.MustCompile(`unauthorized|denied|authentication required|no basic auth credentials|forbidden|\b40[13]\b`), denied},
	{regexp.MustCompile(`manifest unknown|not found|no matching manifest|does not exist`), absent},
}

// pull fetches an image, at most as long as told once anything comes.
func pull(ctx context.Context, t *ui.Task, d *engine.Docker, ref string, limit time.Duration) *refusal {
	start := time.Now()
	for pause := firstPause; ; pause *= 2 {
		r := pullOnce(ctx, t, d, ref, limit)
		if r == nil || r.kind != later {
			return r
		}
		wait := max(pause, askedToWait(r.said))
		if time.Since(start)+wait > pullPatience {
			r.said = fmt.Sprintf("asked again for %s, last: %s", time.Since(start).Round(time.Second), r.said)
			return r
		}
		if pause == firstPause {
			t.Note("%s: %s; it is asked for again, for at most %s", ref, r.said, pullPatience)
		}
		t.Status("%s: asked for again in %s", ref, wait.Round(time.Second))
		select {
		case <-ctx.Done():
			return &refusal{cause: ctx.Err()}
		case <-time.After(wait):
		}
	}
}

func pullOnce(ctx context.Context, t *ui.Task, d *engine.Docker, ref string, limit time.Duration) *refusal {
	attempt, stop := context.WithTimeout(ctx, limit)
	defer stop()
	var answered atomic.Bool
	silence := time.AfterFunc(firstAnswer, func() {
		if !answered.Load() {
			stop()
		}
	})
	defer silence.Stop()
	err := d.Pull(attempt, ref, func(line string) {
		answered.Store(true)
		t.Line(line)
	})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &refusal{cause: ctx.Err()}
	case attempt.Err() != nil && answered.Load():
		return &refusal{slow, fmt.Sprintf("it did not come within %s", limit), err}
	case attempt.Err() != nil:
		return &refusal{later, fmt.Sprintf("no answer within %s", firstAnswer), err}
	}
	if known := engine.Explain(err); known != nil {
		return &refusal{cause: known}
	}
	said := engineSaid(err)
	for _, s := range signs {
		if s.pattern.MatchString(strings.ToLower(said)) {
			return &refusal{s.kind, said, err}
		}
	}
	return &refusal{broken, said, err}
}

// engineSaid is how the engine tells why it gave no image.
func engineSaid(err error) string {
	var refused *engine.Refusal
	if errors.As(err, &refused) {
		return strings.TrimPrefix(refused.Said, "Error response from daemon: ")
	}
	return err.Error()
}

var retryAfter = regexp.MustCompile(`(?i)retry[- ]after:? *([0-9.]+)(ns|µs|us|ms|s|m|h)?\b`)

// askedToWait is how long the registry's message asks to wait, if it does.
func askedToWait(said string) time.Duration {
	m := retryAfter.FindStringSubmatch(said)
	if m == nil {
		return 0
	}
	if m[2] == "" {
		m[2] = "s"
	}
	wait, _ := time.ParseDuration(m[1] + m[2])
	return wait
}

// fault is the failure of a pull that has to succeed.
func (r *refusal) fault(ref string) error {
	const instead = "; TODO_IMAGES=source does without a container registry"
	var remedy string
	switch {
	case r == nil:
		return nil
	case r.said == "":
		return r.cause
	case r.kind == denied:
		remedy = "log in with docker login, or let the engine use another registry's mirror"
	case r.kind == untrusted:
		remedy = "give the Docker engine the registry's certificate authority, in /etc/docker/certs.d/HOST/ca.crt"
	case r.kind == later:
		remedy = "run the target again later, or with docker login where a limit is the reason"
	default:
		remedy = "see that the container registry can be reached"
	}
	return fault.New(fault.CodeEnvironment, ref+" cannot be pulled: "+r.said, remedy+instead)
}

// String says why no registry serves, for the line that tells what is done instead.
func (r *refusal) String() string {
	what := map[refusalKind]string{
		broken: "the image of a container registry cannot be pulled", unreachable: "no container registry can be reached",
		denied: "the container registry refuses this machine", untrusted: "the container registry is not trusted",
		absent: "the container registry lacks an image", later: "the container registry gives nothing", slow: "the container registry is slow",
	}[r.kind]
	return what + " (" + r.said + ")"
}
