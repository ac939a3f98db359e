package source

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine/dockertest"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

// pulls is an engine whose n-th pull ends as the n-th function says, and all further ones as the last.
type pulls struct {
	answers []func(context.Context, run.Cmd) error
	asked   int
}

func (p *pulls) Run(ctx context.Context, c run.Cmd) (run.Result, error) {
	answer := p.answers[min(p.asked, len(p.answers)-1)]
	p.asked++
	return run.Result{}, answer(ctx, c)
}

func says(output string) func(context.Context, run.Cmd) error {
	return func(_ context.Context, c run.Cmd) error {
		c.Line(output)
		return &run.Error{Cmd: c.String(), Code: 1, Output: output, Err: errors.New("exit status 1")}
	}
}

// after is an engine that begins to answer, or ends, after some time.
func after(silent time.Duration, begins bool, takes time.Duration) func(context.Context, run.Cmd) error {
	return func(ctx context.Context, c run.Cmd) error {
		for _, wait := range []time.Duration{silent, takes} {
			select {
			case <-ctx.Done():
				return &run.Error{Cmd: c.String(), Code: -1, Err: ctx.Err()}
			case <-time.After(wait):
				if begins {
					c.Line("15-bookworm: Pulling from library/postgres")
				}
			}
		}
		return nil
	}
}

func fine(context.Context, run.Cmd) error { return nil }

// What dockerd 20.10 and 28 print.
const (
	noSuchHost = `Error response from daemon: Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 10.0.0.53:53: no such host`
	refused    = `Error response from daemon: Get "http://127.0.0.1:5000/v2/": dial tcp 127.0.0.1:5000: connect: connection refused`
	limited    = "Error response from daemon: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit"
	limited2   = "Error response from daemon: error parsing HTTP 429 response body: invalid character 'T' looking for beginning of value: \"Too Many Requests\\n\""
	asksToWait = "Error response from daemon: toomanyrequests: retry-after: 25s, allowed: 44000/minute"
	failing    = "Error response from daemon: received unexpected HTTP status: 503 Service Unavailable"
	noHeaders  = `Error response from daemon: Get "https://registry-1.docker.io/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)`
	reset      = `Error response from daemon: Head "https://registry-1.docker.io/v2/library/node/manifests/24": read tcp 10.0.0.2:39644->10.0.0.3:443: read: connection reset by peer`
	denial     = "Error response from daemon: pull access denied for python, repository does not exist or may require 'docker login': denied: requested access to the resource is denied"
	unknownCA  = `Error response from daemon: Get "https://registry-1.docker.io/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority`
	lacking    = "Error response from daemon: manifest for python:3.11 not found: manifest unknown: manifest unknown"
)

func TestPullAsksAgainOnlyWhereThatMayHelp(t *testing.T) {
	say := func(all ...string) (out []func(context.Context, run.Cmd) error) {
		for _, s := range all {
			out = append(out, says(s))
		}
		return out
	}
	for name, c := range map[string]struct {
		answers []func(context.Context, run.Cmd) error
		asked   int
		took    time.Duration
		kind    refusalKind // meant where fails
		fails   bool
	}{
		"at once":                  {append(say(), fine), 1, 0, 0, false},
		"no such host":             {say(noSuchHost), 1, 0, unreachable, true},
		"refused":                  {say(refused), 1, 0, unreachable, true},
		"denied":                   {say(denial), 1, 0, denied, true},
		"unknown authority":        {say(unknownCA), 1, 0, untrusted, true},
		"not there":                {say(lacking), 1, 0, absent, true},
		"limited once":             {append(say(limited), fine), 2, 2 * time.Second, 0, false},
		"every way to fail once":   {append(say(limited2, failing, noHeaders, reset), fine), 5, 30 * time.Second, 0, false},
		"told how long to wait":    {append(say(asksToWait), fine), 2, 25 * time.Second, 0, false},
		"limited for good":         {say(limited), 5, 30 * time.Second, later, true},
		"then nobody there":        {say(failing, refused), 2, 2 * time.Second, unreachable, true},
		"three seconds":            {append(say(), after(3*time.Second, true, 0)), 1, 3 * time.Second, 0, false},
		"silent once":              {[]func(context.Context, run.Cmd) error{after(time.Hour, false, 0), fine}, 2, 22 * time.Second, 0, false},
		"silent":                   {append(say(), after(time.Hour, false, 0)), 3, 66 * time.Second, later, true},
		"layers that take minutes": {append(say(), after(time.Second, true, 4*time.Minute)), 1, 4*time.Minute + time.Second, 0, false},
		"layers that never come":   {append(say(), after(time.Second, true, time.Hour)), 1, 5 * time.Minute, slow, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &pulls{answers: c.answers}
				start := time.Now()
				r := pull(t.Context(), nil, dockertest.New(t, e), "python:3.11", 5*time.Minute)
				assert.Equal(t, c.asked, e.asked)
				assert.Equal(t, c.took, time.Since(start))
				if !c.fails {
					assert.Nil(t, r)
					return
				}
				require.NotNil(t, r)
				assert.Equal(t, c.kind, r.kind, r.said)
			})
		})
	}
}

func TestAnInterruptEndsTheWaitForARegistry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, nil)
		defer cancel()
		err := Pull(ctx, nil, dockertest.New(t, &pulls{answers: []func(context.Context, run.Cmd) error{says(limited)}}), "python:3.11")
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestAFailedPullIsOneLineThatNamesItsCause(t *testing.T) {
	for output, want := range map[string][2]string{
		limited + "\nSee 'docker pull --help'.": {"toomanyrequests", "docker login"},
		denial:                                  {"pull access denied", "docker login"},
		unknownCA:                               {"unknown authority", "certs.d"},
		noSuchHost:                              {"no such host", "can be reached"},
	} {
		synctest.Test(t, func(t *testing.T) {
			err := Pull(t.Context(), nil, dockertest.New(t, &pulls{answers: []func(context.Context, run.Cmd) error{says(output)}}), "python:3.11")
			require.ErrorContains(t, err, "python:3.11 cannot be pulled: ")
			assert.Contains(t, err.Error(), want[0])
			assert.NotContains(t, err.Error(), "\n")
			assert.NotContains(t, err.Error(), "--help")
			assert.Contains(t, fault.Remedy(err), want[1])
			assert.Contains(t, fault.Remedy(err), "TODO_IMAGES=source")
			assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
		})
	}
}
