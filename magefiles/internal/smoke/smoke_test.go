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
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
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
}

func start(t *testing.T) *app {
	a := &app{accounts: map[string]string{}}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *app) target() Target {
	return Target{Addr: strings.TrimPrefix(a.URL, "http://"), Host: "todo.example"}
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	what := r.Method + " " + r.URL.Path
	a.seen = append(a.seen, what)
	if r.Host != "todo.example" {
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
	loggedIn := r.Header.Get("Authorization") == "Bearer token"
	switch {
	case what == "GET /":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<!DOCTYPE html><html></html>")
	case what == "POST /api/auth/register":
		a.accounts[in["email"].(string)] = in["password"].(string)
		reply(201, map[string]any{"access_token": "token"})
	case what == "POST /api/auth/login" && a.accounts[in["email"].(string)] == in["password"]:
		reply(200, map[string]any{"access_token": "token"})
	case !loggedIn:
		reply(401, map[string]any{"code": "not_authenticated"})
	case what == "DELETE /api/auth/me":
		for address, password := range a.accounts {
			if password == in["password"] {
				delete(a.accounts, address)
			}
		}
		w.WriteHeader(204)
	case what == "POST /api/tasks":
		in["id"] = "id-1"
		a.tasks = append(a.tasks, in)
		reply(201, in)
	case what == "GET /api/tasks":
		reply(200, map[string]any{"items": a.tasks, "total": len(a.tasks)})
	case what == "GET /api/tasks/id-1":
		reply(200, a.tasks[0])
	default:
		reply(404, map[string]any{"code": "not_found"})
	}
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

func TestOverHTTPSOnlyTheGivenCertificateCounts(t *testing.T) {
	issue := func(name string, life time.Duration) (tls.Certificate, *x509.Certificate) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		template := &x509.Certificate{DNSNames: []string{name}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(life)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		require.NoError(t, err)
		parsed, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, parsed
	}
	// It waits for an ingress that has not heard of the certificate yet, here until some handshakes have failed.
	refused := make(chan struct{}, 100)
	serve := func(c tls.Certificate) *app {
		a := &app{accounts: map[string]string{}}
		a.Server = httptest.NewUnstartedServer(a)
		a.TLS = &tls.Config{Certificates: []tls.Certificate{c}}
		a.Config.ErrorLog = log.New(writer(func() { refused <- struct{}{} }), "", 0) // of handshakes that the client ends
		a.StartTLS()
		t.Cleanup(a.Close)
		return a
	}
	target := func(a *app, c *x509.Certificate) Target {
		return Target{Addr: a.Listener.Addr().String(), Host: "todo.example", Certificate: c}
	}
	pair, certificate := issue("todo.example", time.Hour)
	a := serve(pair)
	require.NoError(t, Run(t.Context(), nil, target(a, certificate)))
	assert.Contains(t, a.seen, "POST /api/tasks")

	_, another := issue("todo.example", time.Hour)
	elsewhere, named := issue("other.example", time.Hour)
	expired, old := issue("todo.example", -time.Hour)
	for want, k := range map[string]Target{
		"signed by unknown authority": target(a, another),
		"not todo.example":            target(serve(elsewhere), named),
		"expired":                     target(serve(expired), old),
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		go func() {
			for range 8 {
				<-refused
			}
			cancel()
		}()
		err := Check(ctx, nil, k)
		cancel()
		require.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, "https://todo.example/")
	}
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
		fmt.Fprint(w, `{"code": "internal_error",
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
			fmt.Fprint(w, body)
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
		fmt.Fprint(w, `{"items": [], "total": 0}`)
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
		fmt.Fprint(w, "<html>"+strings.Repeat("long ", 200))
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
	a.broken = func(w http.ResponseWriter, r *http.Request) bool {
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
