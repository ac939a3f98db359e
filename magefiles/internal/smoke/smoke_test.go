package smoke

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

// app stands for the application behind its ingress.
type app struct {
	*httptest.Server
	mu       sync.Mutex
	accounts map[string]string // address → password
	tasks    []map[string]any
	seen     []string // requests
	// broken answers a request in the application's place; it returns false to leave it to the application.
	broken func(w http.ResponseWriter, r *http.Request) bool
	host   string // that it answers to
}

func start(t *testing.T) *app {
	a := &app{accounts: map[string]string{}, host: "todo.example"}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *app) target() Target {
	return Target{Addr: a.addr(), Host: "todo.example"}
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	what := r.Method + " " + r.URL.Path
	a.seen = append(a.seen, what)
	if r.Host != a.host {
		http.NotFound(w, r)
		return
	}
	if a.broken != nil && a.broken(w, r) {
		return
	}
	in := map[string]any{}
	_ = json.NewDecoder(r.Body).Decode(&in)
	reply := func(status int, out any) {
		w.Header().Set("Content-Type", "application/json")
		if status >= 400 {
			w.Header().Set("Content-Type", problemType)
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(out)
	}
	switch {
	case what == "GET /":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, "<!DOCTYPE html><html></html>")
	case what == "POST /api/auth/register":
		a.accounts[in["email"].(string)] = in["password"].(string)
		reply(201, map[string]any{"access_token": "token"})
	case what == "POST /api/auth/login" && a.accounts[in["email"].(string)] == in["password"]:
		reply(200, map[string]any{"access_token": "token"})
	case r.Header.Get("Authorization") != "Bearer token":
		reply(401, map[string]any{"code": "not_authenticated"})
	case what == "DELETE /api/auth/me":
		maps.DeleteFunc(a.accounts, func(_, password string) bool { return password == in["password"] })
		w.WriteHeader(204)
	default:
		reply(a.task(what, in))
	}
}

// task answers what is asked about tasks.
func (a *app) task(what string, in map[string]any) (status int, out any) {
	switch what {
	case "POST /api/tasks":
		in["id"] = "id-1"
		a.tasks = append(a.tasks, in)
		return 201, in
	case "GET /api/tasks":
		return 200, map[string]any{"items": a.tasks, "total": len(a.tasks)}
	case "GET /api/tasks/id-1":
		return 200, a.tasks[0]
	}
	return 404, map[string]any{"code": "not_found"}
}

func TestAGoodApplicationPassesAndKeepsNoAccount(t *testing.T) {
	a := start(t)
	var out bytes.Buffer
	require.NoError(t, ui.Plain(&out).Do("smoke", func(task *ui.Task) error { return Run(t.Context(), task, a.target()) }))
	assert.Empty(t, a.accounts)
	assert.Contains(t, out.String(), "page, register, login, create, list, read, delete")
	assert.Contains(t, a.seen, "POST /api/auth/login")
	assert.Equal(t, "DELETE /api/auth/me", a.seen[len(a.seen)-1])
}

// issue makes a certificate for a host that vouches for itself.
func issue(t *testing.T, name string, life time.Duration) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{DNSNames: []string{name}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(life)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	trusted := x509.NewCertPool()
	trusted.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, trusted
}

// startTLS is the application over HTTPS. It tells of every handshake that failed.
func startTLS(t *testing.T, c tls.Certificate, refused func()) *app {
	a := &app{accounts: map[string]string{}, host: "todo.example"}
	a.Server = httptest.NewUnstartedServer(a)
	a.TLS = &tls.Config{Certificates: []tls.Certificate{c}}
	a.Config.ErrorLog = log.New(writer(refused), "", 0) // of handshakes that the client ends
	a.StartTLS()
	t.Cleanup(a.Close)
	return a
}

func (a *app) addr() string { return a.Listener.Addr().String() }

// afterRefusals is a context that ends when some handshakes have failed: until then the ingress may not have heard of
// the certificate yet.
func afterRefusals(t *testing.T) (ctx context.Context, refused func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	var count atomic.Int32
	return ctx, func() {
		if count.Add(1) == 8 {
			cancel()
		}
	}
}

func TestOverHTTPSOnlyTrustedCertificatesCount(t *testing.T) {
	pair, trusted := issue(t, "todo.example", time.Hour)
	a := startTLS(t, pair, func() {})
	require.NoError(t, Run(t.Context(), nil, Target{SecureAddr: a.addr(), Host: "todo.example", Trusted: trusted}))
	assert.Contains(t, a.seen, "POST /api/tasks")

	_, another := issue(t, "todo.example", time.Hour)
	elsewhere, named := issue(t, "other.example", time.Hour)
	expired, old := issue(t, "todo.example", -time.Hour)
	for _, k := range []struct {
		served  tls.Certificate
		trusted *x509.CertPool
		want    string
		remedy  string
	}{
		{pair, another, "signed by unknown authority", "TODO_CA_BUNDLE"},
		{elsewhere, named, "not todo.example", "TODO_HOST"},
		{expired, old, "expired", "renew"},
	} {
		ctx, refused := afterRefusals(t)
		a := startTLS(t, k.served, refused)
		err := Check(ctx, nil, Target{SecureAddr: a.addr(), Host: "todo.example", Trusted: k.trusted})
		require.ErrorContains(t, err, k.want)
		assert.ErrorContains(t, err, "https://todo.example/")
		assert.Contains(t, fault.Remedy(err), k.remedy)
		assert.Empty(t, a.seen)
	}
}

// redirecting is an ingress that sends everything on to HTTPS, at the given host.
func redirecting(t *testing.T, status int, to string) *app {
	a := start(t)
	a.broken = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, "https://"+to+r.URL.Path, status)
		return true
	}
	return a
}

func TestAnIngressThatLeadsToHTTPSIsFollowedBeforeAnythingSecretIsSent(t *testing.T) {
	pair, trusted := issue(t, "todo.example", time.Hour)
	for _, status := range []int{301, 302, 307, 308} {
		secure, plain := startTLS(t, pair, func() {}), redirecting(t, status, "todo.example")
		require.NoError(t, Run(t.Context(), nil, Target{Addr: plain.addr(), SecureAddr: secure.addr(), Host: "todo.example", Trusted: trusted}), status)
		assert.Subset(t, []string{"GET /", "GET /api/auth/me"}, plain.seen, "no account and no password goes over HTTP")
		assert.Contains(t, secure.seen, "POST /api/tasks")
	}
	secure, plain := startTLS(t, pair, func() {}), redirecting(t, 308, "todo.example:8443")
	secure.host = "todo.example:8443" // what a browser would send
	require.NoError(t, Check(t.Context(), nil, Target{Addr: plain.addr(), SecureAddr: secure.addr(), Host: "todo.example", Trusted: trusted}))
}

func TestARedirectThatLeadsElsewhereFails(t *testing.T) {
	pair, trusted := issue(t, "todo.example", time.Hour)
	secure := startTLS(t, pair, func() {})
	target := Target{SecureAddr: secure.addr(), Host: "todo.example", Trusted: trusted}

	target.Addr = redirecting(t, 301, "login.example").addr()
	require.ErrorContains(t, Check(t.Context(), nil, target), "to https://login.example/")

	target.Addr = redirecting(t, 301, "todo.example").addr()
	secure.broken = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, "https://todo.example"+r.URL.Path, http.StatusMovedPermanently)
		return true
	}
	require.ErrorContains(t, Check(t.Context(), nil, target), "301", "a circle is not gone round twice")

	target.SecureAddr = ""
	err := Check(t.Context(), nil, target)
	require.ErrorContains(t, err, "it is not known where")
	assert.Contains(t, fault.Remedy(err), "TODO_HTTPS_PORT")

	ctx, refused := afterRefusals(t)
	_, another := issue(t, "todo.example", time.Hour)
	secure = startTLS(t, pair, refused)
	err = Check(ctx, nil, Target{Addr: target.Addr, SecureAddr: secure.addr(), Host: "todo.example", Trusted: another})
	require.ErrorContains(t, err, "unknown authority")
	assert.Contains(t, fault.Remedy(err), "TODO_CA_BUNDLE")
	assert.NotContains(t, err.Error(), "\n")
	assert.Equal(t, fault.CodeSmoke, fault.Code(err))
}

func TestCheckChangesNothing(t *testing.T) {
	a := start(t)
	require.NoError(t, Check(t.Context(), nil, a.target()))
	assert.ElementsMatch(t, []string{"GET /", "GET /api/auth/me"}, a.seen)
}

func answer500(path string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method+" "+r.URL.Path != path {
			return false
		}
		w.Header().Set("Content-Type", problemType)
		w.WriteHeader(500)
		_, _ = fmt.Fprint(w, `{"code": "internal_error",
			"detail": "the database is away"}`)
		return true
	}
}

func TestFailuresNameTheStepTheAnswerAndTheExpectation(t *testing.T) {
	html := func(status int, body string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/" {
				return false
			}
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, body)
			return true
		}
	}
	for name, k := range map[string]struct {
		broken func(http.ResponseWriter, *http.Request) bool
		want   string
	}{
		"page fails":     {html(500, "oops"), "smoke test: page: GET http://todo.example/ gave 500 Internal Server Error oops, expected 200"},
		"page redirects": {html(302, ""), "smoke test: page: GET http://todo.example/ gave 302 Found, expected 200"},
		"no page":        {html(200, "hello"), "smoke test: page: GET http://todo.example/ gave 200 OK hello, expected an HTML page"},
		"register": {answer500("POST /api/auth/register"), `smoke test: register: POST http://todo.example/api/auth/register gave 500 Internal Server Error ` +
			`{"code": "internal_error", "detail": "the database is away"}, expected 201`},
		"login":  {answer500("POST /api/auth/login"), "smoke test: login: POST http://todo.example/api/auth/login gave 500"},
		"create": {answer500("POST /api/tasks"), "smoke test: create: POST http://todo.example/api/tasks gave 500"},
		"list":   {answer500("GET /api/tasks"), "smoke test: list: GET http://todo.example/api/tasks gave 500"},
		"read":   {answer500("GET /api/tasks/id-1"), "smoke test: read: GET http://todo.example/api/tasks/id-1 gave 500"},
		"delete": {answer500("DELETE /api/auth/me"), "smoke test: delete account: DELETE http://todo.example/api/auth/me gave 500"},
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t)
			a.broken = k.broken
			err := Run(t.Context(), nil, a.target())
			require.Error(t, err)
			assert.Contains(t, err.Error(), k.want)
			assert.NotContains(t, err.Error(), "\n")
			assert.Equal(t, fault.CodeSmoke, fault.Code(err))
			assert.NotEmpty(t, fault.Remedy(err))
			if name != "delete" {
				assert.Empty(t, a.accounts, "the throw-away account is gone")
			}
		})
	}
}

func TestAListThatLosesTheTaskIsAFailure(t *testing.T) {
	a := start(t)
	a.broken = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method+r.URL.Path != "GET/api/tasks" {
			return false
		}
		_, _ = fmt.Fprint(w, `{"items": [], "total": 0}`)
		return true
	}
	err := Run(t.Context(), nil, a.target())
	require.Error(t, err)
	assert.Contains(t, err.Error(), "expected the new task and no other")
}

func TestAnAnswerThatIsNoJSONIsAFailure(t *testing.T) {
	a := start(t)
	a.broken = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method+r.URL.Path != "POST/api/auth/login" {
			return false
		}
		_, _ = fmt.Fprint(w, "<html>"+strings.Repeat("long ", 200))
		return true
	}
	err := Run(t.Context(), nil, a.target())
	require.Error(t, err)
	assert.Contains(t, err.Error(), "expected JSON")
	assert.Less(t, len(err.Error()), 400, "only the first part of the body is shown")
}

func TestItWaitsForTheIngressAndForNothingElse(t *testing.T) {
	a := start(t)
	refused := 0
	a.broken = func(w http.ResponseWriter, _ *http.Request) bool {
		if refused >= 4 {
			return false
		}
		refused++
		// As an ingress says it that has no route yet, or only to pods that are gone.
		status := []int{http.StatusNotFound, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout}[refused-1]
		http.Error(w, http.StatusText(status), status)
		return true
	}
	require.NoError(t, Check(t.Context(), nil, a.target()))
	assert.Equal(t, 4, refused)

	b := start(t)
	b.broken = answer500("GET /api/auth/me")
	require.Error(t, Check(t.Context(), nil, b.target()))
	assert.LessOrEqual(t, len(b.seen), 2, "the application's own errors are not asked for again")
}

func TestNobodyListens(t *testing.T) {
	a := start(t)
	target := a.target()
	a.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	err := Check(ctx, nil, target)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "by way of "+target.Addr)
	assert.Contains(t, err.Error(), "connection refused")
	assert.Equal(t, fault.CodeSmoke, fault.Code(err))
}

func TestAnInterruptedRunSaysSo(t *testing.T) {
	a := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	a.broken = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/api/tasks" {
			_, _ = io.Copy(io.Discard, r.Body) // a server notices that its client has gone only after that
			cancel()
			<-r.Context().Done()
		}
		return false
	}
	assert.Equal(t, fault.CodeInterrupted, fault.Code(Run(ctx, nil, a.target())))
}

// writer calls a function for everything that is written.
type writer func()

func (w writer) Write(p []byte) (int, error) {
	w()
	return len(p), nil
}
