// Package smoke asks the running application, the way a browser reaches it, whether it does its work.
package smoke

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"todo.local/magefiles/internal/ui"
)

const (
	limit        = 30 * time.Second // for all checks together
	requestLimit = 5 * time.Second
	// routeLimit is how long the ingress may take to notice pods that became ready.
	routeLimit = 10 * time.Second
	routePause = 100 * time.Millisecond
)

// Target is where the application is reached. The connection goes to one of the addresses whatever Host is, so no name
// has to resolve.
type Target struct {
	Addr       string         // host:port where the ingress answers HTTP; empty to ask over HTTPS alone
	SecureAddr string         // host:port where it answers HTTPS, which is asked where HTTP leads there; empty where nobody knows
	Host       string         // host name to ask for
	Trusted    *x509.CertPool // who vouches for the certificate; the system's authorities where nil
}

// Run goes through the application once, as a user would: the page, an account, a login, a task. The account is thrown
// away at the end.
func Run(ctx context.Context, t *ui.Task, target Target) error {
	return with(ctx, target, func(ctx context.Context, c *client) error {
		if err := c.reach(ctx, t); err != nil {
			return err
		}
		return c.timed(ctx, t, "page, ")
	})
}

// Backend goes through the application once at the backend itself, without the page.
func Backend(ctx context.Context, t *ui.Task, target Target) error {
	return with(ctx, target, func(ctx context.Context, c *client) error { return c.timed(ctx, t, "") })
}

// Check asks for the page and for one answer of the backend.
func Check(ctx context.Context, t *ui.Task, target Target) error {
	return with(ctx, target, func(ctx context.Context, c *client) error {
		if err := c.reach(ctx, t); err != nil {
			return err
		}
		t.Unchanged("the page and the API answer")
		return nil
	})
}

// with lends a client for as long as a look at the application may take.
func with(ctx context.Context, target Target, look func(context.Context, *client) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c := newClient(target)
	defer c.close()
	return look(ctx, c)
}

// timed is the journey with how long it took, after what was seen before it.
func (c *client) timed(ctx context.Context, t *ui.Task, before string) error {
	start := time.Now()
	if err := c.journey(ctx, t); err != nil {
		return err
	}
	t.Result("%sregister, login, create, list, read, delete in %d ms", before, time.Since(start).Milliseconds())
	return nil
}

// client talks to one target.
type client struct {
	target Target
	base   string // scheme and host of every URL
	addr   string // that connections go to
	http   *http.Client
	token  string
}

func newClient(target Target) *client {
	c := &client{target: target}
	if target.Addr == "" {
		c.use("https://"+target.Host, target.SecureAddr)
	} else {
		c.use("http://"+target.Host, target.Addr)
	}
	return c
}

// use lets everything from now on go to these URLs, at one address.
func (c *client) use(base, addr string) {
	dial := (&net.Dialer{Timeout: requestLimit}).DialContext
	c.base, c.addr, c.http = base, addr, &http.Client{
		Timeout: requestLimit,
		Transport: &http.Transport{ // no proxy: the target is near
			DialContext:     func(ctx context.Context, network, _ string) (net.Conn, error) { return dial(ctx, network, addr) },
			TLSClientConfig: &tls.Config{RootCAs: c.target.Trusted, MinVersion: tls.VersionTLS12},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// close ends the connections that are kept for a next request.
func (c *client) close() { c.http.CloseIdleConnections() }

// reach checks the two ways through the ingress. Where it leads from HTTP to HTTPS on the same host, everything goes
// over HTTPS from then on: no password is sent before that is known.
func (c *client) reach(ctx context.Context, t *ui.Task) error {
	err := c.reachBoth(ctx, t)
	var moved *Failure
	if !errors.As(err, &moved) || moved.secureHost == "" || strings.HasPrefix(c.base, "https:") {
		return err
	}
	if c.target.SecureAddr == "" {
		return moved.because("the ingress leads to HTTPS, and it is not known where it answers that",
			"name the port of 127.0.0.1 that leads to it with TODO_HTTPS_PORT")
	}
	c.close()
	c.use("https://"+moved.secureHost, c.target.SecureAddr)
	return c.reachBoth(ctx, t)
}

// reachBoth asks for the page and for one answer of the backend. The ingress may still be finding out about new pods.
func (c *client) reachBoth(ctx context.Context, t *ui.Task) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, s := range []step{
		{name: "page", method: http.MethodGet, path: "/", status: http.StatusOK, check: isPage},
		{name: "API", method: http.MethodGet, path: "/api/auth/me", status: http.StatusUnauthorized, check: isProblem},
	} {
		g.Go(func() error {
			var before *Failure
			for deadline := time.Now().Add(routeLimit); ; {
				err := c.do(ctx, s)
				if err != nil && ctx.Err() != nil && before != nil {
					return before // tells more than that the time is over
				}
				if err == nil || !err.unrouted || time.Now().After(deadline) {
					return err.orNil()
				}
				before = err
				t.Status("waiting for the ingress to route the %s", s.name)
				select {
				case <-ctx.Done():
					return err
				case <-time.After(routePause):
				}
			}
		})
	}
	return g.Wait()
}

// journey is what a new user does.
func (c *client) journey(ctx context.Context, t *ui.Task) (failed error) {
	credentials := map[string]string{"email": "smoke-" + strings.ToLower(rand.Text()) + "@example.com", "password": rand.Text()}
	var session struct {
		Token string `json:"access_token"`
	}
	var made, read task
	var page struct {
		Items []task `json:"items"`
		Total int    `json:"total"`
	}
	title := "Smoke test " + rand.Text()

	t.Status("register")
	if err := c.do(ctx, step{name: "register", method: http.MethodPost, path: "/api/auth/register", body: credentials, status: http.StatusCreated, into: &session}); err != nil {
		return err
	}
	c.token = session.Token
	defer func() {
		// Also after a failure or an interrupt: no throw-away account stays behind.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestLimit)
		defer cancel()
		err := c.do(ctx, step{name: "delete account", method: http.MethodDelete, path: "/api/auth/me",
			body: map[string]string{"password": credentials["password"]}, status: http.StatusNoContent})
		if failed == nil {
			failed = err.orNil()
		}
	}()

	for _, s := range []step{
		{name: "login", method: http.MethodPost, path: "/api/auth/login", body: credentials, status: http.StatusOK, into: &session},
		{name: "create", method: http.MethodPost, path: "/api/tasks", body: map[string]string{"title": title}, status: http.StatusCreated, into: &made},
	} {
		t.Status("%s", s.name)
		if err := c.do(ctx, s); err != nil {
			return err
		}
		c.token = session.Token
	}

	t.Status("list and read")
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return c.do(gctx, step{name: "list", method: http.MethodGet, path: "/api/tasks", status: http.StatusOK, into: &page, check: func(answer) string {
			if page.Total != 1 || len(page.Items) != 1 || page.Items[0] != made {
				return "the new task and no other"
			}
			return ""
		}}).orNil()
	})
	g.Go(func() error {
		return c.do(gctx, step{name: "read", method: http.MethodGet, path: "/api/tasks/" + made.ID, status: http.StatusOK, into: &read, check: func(answer) string {
			if read != made || read.Title != title {
				return "the new task"
			}
			return ""
		}}).orNil()
	})
	return g.Wait()
}

type task struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// step is one request and what has to come of it.
type step struct {
	name, method, path string
	body               any // sent as JSON
	status             int
	into               any                 // takes the JSON answer
	check              func(answer) string // names what was expected, or nothing where the answer is good
}

type answer struct {
	header http.Header
	body   []byte
}

func isPage(a answer) string {
	if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || !bytes.Contains(bytes.ToLower(a.body), []byte("<html")) {
		return "an HTML page"
	}
	return ""
}

func isProblem(a answer) string {
	if !strings.HasPrefix(a.header.Get("Content-Type"), problemType) {
		return "a body of type " + problemType
	}
	return ""
}

const problemType = "application/problem+json"

func (c *client) request(ctx context.Context, s step) (*http.Request, error) {
	var body io.Reader
	if s.body != nil {
		raw, err := json.Marshal(s.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, s.method, c.base+s.path, body)
	if err != nil {
		return nil, err
	}
	if s.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return req, nil
}

// do sends a request and checks the answer.
func (c *client) do(ctx context.Context, s step) *Failure {
	fail := &Failure{Step: s.name, Request: s.method + " " + c.base + s.path, addr: c.addr}
	req, err := c.request(ctx, s)
	if err != nil {
		return fail.with(err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		fail.unrouted = true
		return fail.with(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return fail.with(err)
	}
	got := answer{resp.Header, raw}
	if resp.StatusCode != s.status {
		switch resp.StatusCode {
		case http.StatusNotFound, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			fail.unrouted = isProblem(got) != "" // the backend's own errors are problems; these are the ingress's
		case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
			if to, err := resp.Location(); err == nil {
				return fail.redirected(resp.Status, to, c.target.Host)
			}
		}
		return fail.unexpected(resp.Status, fmt.Sprint(s.status), raw)
	}
	if s.into != nil {
		if err := json.Unmarshal(raw, s.into); err != nil {
			return fail.unexpected(resp.Status, "JSON", raw)
		}
	}
	if s.check != nil {
		if wanted := s.check(got); wanted != "" {
			return fail.unexpected(resp.Status, wanted, raw)
		}
	}
	return nil
}
