// Package dockertest is a Docker engine for tests: it speaks the engine's HTTP interface, as Debian's version 20.10
// does, and takes its answers from a run.Runner, which is asked the commands of docker that would do the same. A test
// thus writes one script for what goes through the interface and for what the docker command does.
//
//	docker container inspect NAME         gives the JSON that the command prints
//	docker image inspect NAME             likewise
//	docker info                           likewise, one object
//	docker exec [-i] [--env K=V] NAME …   gives standard output; fails with an exit code or the engine's words
//	docker start|stop|restart|unpause NAME
//	docker logs --tail N NAME
//	docker ps --filter publish=PORT       gives names, one a line
//	docker image ls                       likewise
//	docker tag, image rm [--no-prune], pull, push, save, import
package dockertest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/run"
)

// apiVersion is that of the oldest engine that is supported.
const apiVersion = "1.41"

// New gives an engine that answers as the runner does.
func New(t testing.TB, r run.Runner) *engine.Docker {
	t.Helper()
	d := &engine.Docker{Runner: r, CLI: "docker"}
	l := newListener()
	serve(t, d, l)
	api, err := client.New(client.WithHost("tcp://engine"), client.WithDialContext(l.dial))
	require.NoError(t, err)
	t.Cleanup(func() { _ = api.Close() })
	d.API = api
	return d
}

// Listen serves an engine that answers as the runner does on a socket of the machine, for code that finds its engine by
// itself. It gives the address, as DOCKER_HOST has it. network is unix or tcp.
func Listen(t testing.TB, r run.Runner, network string) string {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		dir, err := os.MkdirTemp("", "engine-") // a test's own folder may have too long a path
		require.NoError(t, err)
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		address = filepath.Join(dir, "docker.sock")
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), network, address)
	require.NoError(t, err)
	serve(t, &engine.Docker{Runner: r, CLI: "docker"}, l)
	return network + "://" + l.Addr().String()
}

// DialStdio has the command docker system dial-stdio of a client lead to an engine that answers as the fake does.
func DialStdio(t testing.TB, fake *run.Fake, cli string) {
	t.Helper()
	l := newListener()
	serve(t, &engine.Docker{Runner: fake, CLI: "docker"}, l)
	fake.OnFunc(cli+" system dial-stdio", func(c run.Cmd) (string, error) {
		conn, err := l.connect(t.Context())
		if err != nil {
			return "", err
		}
		go func() {
			_, _ = io.Copy(conn, c.Stdin)
			_ = conn.CloseWrite()
		}()
		_, err = io.Copy(c.Stdout, conn)
		return "", err
	})
}

func serve(t testing.TB, d *engine.Docker, l net.Listener) {
	t.Setenv("DOCKER_CONFIG", t.TempDir()) // credentials of whoever runs the tests are no part of them
	server := &http.Server{Handler: (&standIn{docker: d, execs: map[string]*execution{}}).handler()}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
	})
}

func newListener() *listener {
	return &listener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// listener takes connections of this process. They are no network's, so that tests whose clock is a bubble's can wait
// on them.
type listener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// dial is connect, for a transport.
func (l *listener) dial(ctx context.Context, _, _ string) (net.Conn, error) { return l.connect(ctx) }

func (l *listener) connect(ctx context.Context) (*conn, error) {
	ours, theirs := pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, errors.New("dial unix /var/run/docker.sock: connect: connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (*listener) Addr() net.Addr { return &net.UnixAddr{Name: "docker.sock", Net: "unix"} }

// standIn is the engine.
type standIn struct {
	docker *engine.Docker
	mu     sync.Mutex
	execs  map[string]*execution
}

func (e *standIn) handler() http.Handler {
	mux := http.NewServeMux()
	ping := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Api-Version", apiVersion)
		w.Header().Set("Ostype", "linux")
	}
	mux.HandleFunc("GET /_ping", ping)
	mux.HandleFunc("HEAD /_ping", ping)
	for pattern, answer := range map[string]http.HandlerFunc{
		"GET /info":                      e.info,
		"GET /containers/json":           e.listContainers,
		"GET /containers/{name}/json":    e.inspectContainer,
		"GET /containers/{name}/logs":    e.logs,
		"POST /containers/{name}/{verb}": e.changeContainer,
		"POST /containers/{name}/exec":   e.createExec,
		"POST /exec/{id}/start":          e.startExec,
		"GET /exec/{id}/json":            e.inspectExec,
	} {
		mux.HandleFunc(pattern, answer)
	}
	mux.HandleFunc("/images/", e.images) // whose names have slashes
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/v"+apiVersion)
		r.URL.RawPath = ""
		mux.ServeHTTP(w, r)
	})
}

// ask runs a command of docker in the script.
func (e *standIn) ask(r *http.Request, c run.Cmd) (run.Result, error) {
	c.Name = e.docker.CLI
	return e.docker.Runner.Run(r.Context(), c)
}

// output runs a command and gives its output, or answers the request with its failure.
func (e *standIn) output(w http.ResponseWriter, r *http.Request, args ...string) (out string, ok bool) {
	res, err := e.ask(r, run.Cmd{Args: args})
	if err != nil {
		refuse(w, err)
		return "", false
	}
	return strings.TrimSpace(res.Stdout), true
}

// refuse answers as the engine does: a message in JSON, and a status that tells its kind.
func refuse(w http.ResponseWriter, err error) {
	text := said(err)
	status := http.StatusInternalServerError
	if strings.Contains(strings.ToLower(text), "no such ") {
		status = http.StatusNotFound
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": text})
}

// said is what the engine says where its client printed the given failure.
func said(err error) string {
	text := err.Error()
	var failed *run.Error
	if errors.As(err, &failed) {
		if text = strings.TrimSpace(failed.Output); text == "" {
			text = failed.Err.Error()
		}
	}
	_, after, found := strings.Cut(text, "Error response from daemon: ")
	if found {
		text, _, _ = strings.Cut(after, "\n")
	}
	return strings.TrimPrefix(text, "Error: ")
}

func (e *standIn) info(w http.ResponseWriter, r *http.Request) {
	if out, ok := e.output(w, r, "info"); ok {
		_, _ = io.WriteString(w, out)
	}
}
