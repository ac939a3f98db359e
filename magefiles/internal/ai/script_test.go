package ai

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"todo.local/magefiles/internal/analysis"
	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/ui"
)

var todo = Application{Namespace: "todo", Services: app.Names(app.All()), Scalable: app.Names(app.Scalable()), MaxPods: 20}

// fakeOperations remember what was asked of them.
type fakeOperations struct {
	gives map[string]string // by tool
	fails error             // of changes
	finds []analysis.Finding
	calls []Call
}

func (f *fakeOperations) Read(_ context.Context, c Call) (string, error) {
	f.calls = append(f.calls, c)
	return f.gives[c.Tool], nil
}

func (f *fakeOperations) Analyze(context.Context) ([]analysis.Finding, error) { return f.finds, nil }

func (f *fakeOperations) Preview(_ context.Context, c Call) (string, error) {
	return "diff of " + c.Tool, nil
}

func (f *fakeOperations) Change(_ context.Context, c Call) error {
	f.calls = append(f.calls, c)
	return f.fails
}

// turn is what the scripted endpoint answers with: a message, a status, or a connection that breaks off.
type turn struct {
	content, refusal string
	calls            []function
	status           int
	retryAfter       string
	cut              bool
	raw              string
}

// script is an endpoint that speaks the wire of chat completions. It says its last turn for as long as it is asked.
type script struct {
	mu    sync.Mutex
	turns []turn
	asked []completion // what it was sent
	keys  []string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var c completion
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil || r.URL.Path != "/v1/chat/completions" {
		http.Error(w, "what?", http.StatusTeapot)
		return
	}
	now := s.turns[min(len(s.asked), len(s.turns)-1)]
	s.asked, s.keys = append(s.asked, c), append(s.keys, r.Header.Get("Authorization"))
	switch {
	case now.cut:
		w.Header().Set("Content-Length", "1000")
		_, _ = fmt.Fprint(w, `{"choices":[{"mess`)
		return
	case now.raw != "":
		_, _ = fmt.Fprint(w, now.raw)
		return
	case now.status != 0:
		w.Header().Set("Retry-After", now.retryAfter)
		w.WriteHeader(now.status)
		_, _ = fmt.Fprintf(w, `{"error":{"message":"no, %s"}}`, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		return
	}
	reply := map[string]any{"role": "assistant", "content": nil}
	if now.content != "" {
		reply["content"] = now.content
	}
	if now.refusal != "" {
		reply["refusal"] = now.refusal
	}
	var calls []map[string]any
	for i, f := range now.calls {
		calls = append(calls, map[string]any{"id": fmt.Sprintf("call_%d_%d", len(s.asked), i), "type": "function", "function": f})
	}
	if calls != nil {
		reply["tool_calls"] = calls
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"index": 0, "message": reply, "finish_reason": "stop"}}})
}

// results gives the tool results that the endpoint was sent last, by their id.
func (s *script) results() map[string]string {
	out := map[string]string{}
	for _, m := range s.asked[len(s.asked)-1].Messages {
		if m.Role == "tool" {
			out[m.ToolCallID] = m.Content
		}
	}
	return out
}

const key = "sk-this-is-the-key"

// session asks a scripted endpoint.
func session(t *testing.T, turns ...turn) (*Session, *script, *fakeOperations, *bytes.Buffer) {
	t.Helper()
	s := &script{turns: turns}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	ops, out := &fakeOperations{gives: map[string]string{}}, &bytes.Buffer{}
	return &Session{
		UI: ui.Plain(out), Application: todo, Operations: ops, Secrets: KnownSecrets("hunter2hunter2", key),
		Endpoint: &Endpoint{URL: server.URL + "/v1", Key: key, Model: "small", pause: time.Millisecond},
	}, s, ops, out
}

func call(name, arguments string) function { return function{name, arguments} }

func answered(yes bool) func(context.Context, string) (bool, error) {
	return func(context.Context, string) (bool, error) { return yes, nil }
}
