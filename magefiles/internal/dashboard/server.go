package dashboard

import (
	"bytes"
	"context"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

//go:embed page
var page embed.FS

// policy lets the page load nothing but its own files, and be shown in no other.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// pingEvery is how often a stream that has nothing to tell shows that it lives.
const pingEvery = 15 * time.Second

// mostOfAnAction is how long the text of an action may be, in bytes.
const mostOfAnAction = 16 << 10

// server answers pages.
type server struct {
	app     Application
	hub     *hub
	token   string
	address string          // host and port
	ended   <-chan struct{} // closed when the dashboard ends
	running sync.Map        // actions that run, by name
}

// cookie is the name of the token's cookie. Cookies of a host hold for all its ports.
func (s *server) cookie() string {
	_, port, _ := net.SplitHostPort(s.address)
	return "todo-dashboard-" + port
}

func (s *server) handler() http.Handler {
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(files))
	mux.HandleFunc("GET /api/events", s.events)
	mux.HandleFunc("GET /api/diff", s.diff)
	mux.HandleFunc("POST /api/do", s.do)
	return s.guard(http.NewCrossOriginProtection().Handler(mux))
}

// guard answers those who have the token, by the address that was printed: no other page in the browser, and no name
// that somebody else's DNS leads here. The token comes in the address once, and in a cookie from then on.
func (s *server) guard(next http.Handler) http.Handler {
	_, port, _ := net.SplitHostPort(s.address)
	hosts := []string{s.address, net.JoinHostPort("localhost", port)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if !slices.Contains(hosts, r.Host) {
			http.Error(w, "no page of this name is here", http.StatusMisdirectedRequest)
			return
		}
		if given := r.URL.Query().Get("token"); given != "" && r.URL.Path == "/" && s.right(given) {
			http.SetCookie(w, &http.Cookie{Name: s.cookie(), Value: s.token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		if c, err := r.Cookie(s.cookie()); err != nil || !s.right(c.Value) {
			http.Error(w, "open the page by the address that `go tool mage dashboard` printed", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *server) right(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) == 1
}

// events streams what happens: at first all that is known, or what is new since Last-Event-ID.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	defer s.hub.open()()
	seen, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil || seen > s.hub.newest() { // of a process before this one
		seen = 0
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	for {
		events, more := s.hub.since(seen)
		slices.SortFunc(events, func(a, b event) int { return int(a.id - b.id) })
		for _, e := range events {
			seen = e.id
			if _, err := fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", e.id, e.name, e.data); err != nil {
				return
			}
		}
		if err := out.Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-s.ended:
			return
		case <-more:
		case <-time.After(pingEvery):
			if _, err := io.WriteString(w, ": still here\n\n"); err != nil {
				return
			}
		}
	}
}

// diff tells what going back to a revision would change.
func (s *server) diff(w http.ResponseWriter, r *http.Request) {
	revision, err := strconv.Atoi(r.URL.Query().Get("revision"))
	if err != nil || revision < 1 {
		http.Error(w, "revision is a number", http.StatusBadRequest)
		return
	}
	text, err := s.app.Diff(r.Context(), revision)
	answer(w, text, err)
}

// do does what the page asks for, one of each kind at a time.
func (s *server) do(w http.ResponseWriter, r *http.Request) {
	var a Action
	in := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostOfAnAction))
	in.DisallowUnknownFields()
	if err := in.Decode(&a); err != nil || !slices.Contains([]string{Restart, Scale, Rollback, Ask, Test}, a.Name) {
		http.Error(w, "this is no action", http.StatusBadRequest)
		return
	}
	if _, runs := s.running.LoadOrStore(a.Name, true); runs {
		answer(w, "", fault.New(fault.CodeInput, a.Name+" runs already", "wait until it is done"))
		return
	}
	defer s.running.Delete(a.Name)
	defer s.hub.act()
	// It goes on where the page that asked is closed, until the dashboard ends.
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	go func() {
		select {
		case <-s.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	if a.Name == Ask {
		var text bytes.Buffer
		err := s.app.Do(ctx, a, &text)
		answer(w, text.String(), err)
		return
	}
	out := &run.Lines{Emit: func(text string) { s.hub.line(Line{Service: "mage", Text: text}) }}
	err := s.app.Do(ctx, a, out)
	out.Flush()
	answer(w, "", err)
}

// answer sends a text, and what went wrong and what to do about it, if something did.
func answer(w http.ResponseWriter, text string, err error) {
	body := map[string]string{"text": text}
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		body["error"], body["remedy"] = err.Error(), fault.Remedy(err)
	}
	_ = json.NewEncoder(w).Encode(body) // who asked may have gone
}
