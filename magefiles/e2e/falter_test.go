//go:build e2e

package e2e

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
)

// trouble is what a registry does to whoever pulls from it. What is pushed, and what the engine asks while it pushes,
// is left alone.
type trouble struct {
	sound http.Handler

	mu       sync.Mutex
	answer   func(w http.ResponseWriter, nth int, since time.Duration) (answered bool)
	requests int
	first    time.Time // when the first request was met by it
}

// begin lets the registry answer in this way from now on.
func (tr *trouble) begin(answer func(w http.ResponseWriter, nth int, since time.Duration) bool) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.answer, tr.requests, tr.first = answer, 0, time.Time{}
}

// met tells how many requests of pulls there were, and when the first came.
func (tr *trouble) met() (requests int, first time.Time) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.requests, tr.first
}

func (tr *trouble) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pulls := strings.HasPrefix(r.UserAgent(), "containerd/") && r.URL.Path != "/v2/" // the engine's own requests are by docker
	if pulls {
		tr.mu.Lock()
		if tr.requests++; tr.first.IsZero() {
			tr.first = time.Now()
		}
		answer, nth, since := tr.answer, tr.requests, time.Since(tr.first)
		tr.mu.Unlock()
		if answer(w, nth, since) {
			return
		}
	}
	tr.sound.ServeHTTP(w, r)
}

// everySecond refuses every second request.
func everySecond(w http.ResponseWriter, nth int, _ time.Duration) bool {
	if nth%2 == 1 {
		return false
	}
	http.Error(w, "toomanyrequests: slow down", http.StatusTooManyRequests)
	return true
}

// outage resets connections and refuses requests for longer than the kubelet takes to its second attempt.
func outage(w http.ResponseWriter, nth int, since time.Duration) bool {
	if since > 20*time.Second {
		return false
	}
	if nth%2 == 0 {
		http.Error(w, "the registry is being restarted", http.StatusServiceUnavailable)
		return true
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // closed so, it is reset
	}
	_ = conn.Close()
	return true
}

// loss is a registry that knows no image any more.
func loss(w http.ResponseWriter, _ int, _ time.Duration) bool {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write([]byte(`{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`))
	return true
}

// faltering deploys from a registry that has bad days. Each version is a new one, so that the node has to pull it. What
// a kubelet has pulled once, it lets no pod use any more that never pulls: deploys without a registry come before.
func faltering(t *testing.T, project checkout, alice *user) {
	d := running(t)
	reg := newRegistry(t)
	tr := &trouble{sound: reg.Handler, answer: everySecond}
	reg.Handler = tr
	env, _ := d.throughContext(t, reg)
	version := func(line string) checkout {
		changed := copyOf(t, project)
		appendTo(t, changed, "backend/src/main.py", "\n# "+line+"\n")
		return changed
	}

	r := version("while every second request is refused").mage(t, env, "deploy")
	require.Zero(t, r.code)
	requests, _ := tr.met()
	t.Logf("deployed in %.1f s from a registry that refused every second of %d requests", r.took.Seconds(), requests)
	require.Greater(t, requests, 4, "the node pulled")

	tr.begin(outage)
	failed := watch(t, alice)
	r = version("during an outage").mage(t, env, "deploy")
	assert.Empty(t, failed())
	require.Zero(t, r.code, "a good version is not taken back")
	assert.Contains(t, r.output, "may mend itself: image "+reg.addr+"/team/todo-backend")
	requests, _ = tr.met()
	t.Logf("deployed in %.1f s from a registry that was away for 20 s, after %d requests", r.took.Seconds(), requests)
	good := d.image(t, "todo-backend")

	tr.begin(loss)
	failed = watch(t, alice)
	r = version("that the registry has lost").mage(t, env, "deploy")
	assert.Empty(t, failed())
	assert.Equal(t, fault.CodeRollout, r.code)
	assert.Regexp(t, `image \S+/team/todo-backend@sha256:\S+ cannot be pulled: .*not found`, r.output)
	assert.Regexp(t, `the last version that passed its checks, revision \d+, is restored`, r.output)
	assert.Equal(t, good, d.image(t, "todo-backend"))
	_, seen := tr.met()
	history, err := d.helm.History(t.Context(), config.ReleaseName)
	require.NoError(t, err)
	back := history[len(history)-1].Updated.Sub(seen)
	t.Logf("the version before was brought back %.1f s after the node had asked for one that is not there", back.Seconds())
	assert.Less(t, back, 15*time.Second)
}
