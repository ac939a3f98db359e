//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// turn is what a scripted model says next: a call of a tool, or its answer.
type turn struct {
	tool      string
	arguments map[string]any
	text      string
}

// script says what a model does next, from what the person asked and what its tools gave so far.
type script func(asked string, results []string) turn

// endpoint speaks OpenAI's wire, whole and streamed, with a script in the model's place. It keeps all that it was told.
type endpoint struct {
	script script
	url    string

	mu   sync.Mutex
	told strings.Builder
}

func newEndpoint(t *testing.T, s script) *endpoint {
	e := &endpoint{script: s}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	e.url = server.URL + "/v1"
	return e
}

// env makes targets use the endpoint.
func (e *endpoint) env() []string {
	return []string{"OPENAI_API_KEY=the-models-key", "OPENAI_BASE_URL=" + e.url, "OPENAI_MODEL=scripted"}
}

// heard gives all that went to the endpoint.
func (e *endpoint) heard() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.told.String()
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	var request struct {
		Stream   bool
		Messages []struct {
			Role    string
			Content json.RawMessage
		}
	}
	if err != nil || json.Unmarshal(raw, &request) != nil || r.URL.Path != "/v1/chat/completions" {
		http.Error(w, "not a chat", http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	e.told.Write(raw)
	e.mu.Unlock()
	asked, results := "", []string{}
	for _, m := range request.Messages {
		switch m.Role {
		case "user":
			asked = text(m.Content)
		case "tool":
			results = append(results, text(m.Content))
		}
	}
	next := e.script(asked, results)
	said, reason := map[string]any{"content": next.text}, "stop"
	if next.tool != "" {
		arguments, _ := json.Marshal(next.arguments) // of strings and numbers
		said = map[string]any{"tool_calls": []any{map[string]any{
			"index": 0, "id": fmt.Sprintf("call_%d", len(results)), "type": "function", "function": map[string]any{"name": next.tool, "arguments": string(arguments)},
		}}}
		reason = "tool_calls"
	}
	role := map[string]any{"role": "assistant"}
	if !request.Stream {
		message := map[string]any{}
		maps.Copy(message, role)
		maps.Copy(message, said)
		_ = json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"index": 0, "message": message, "finish_reason": reason}}})
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for _, choice := range []map[string]any{{"index": 0, "delta": role}, {"index": 0, "delta": said}, {"index": 0, "delta": map[string]any{}, "finish_reason": reason}} {
		chunk, _ := json.Marshal(map[string]any{"id": "1", "object": "chat.completion.chunk", "choices": []any{choice}})
		_, _ = fmt.Fprintf(w, "data: %s\n\n", chunk)
	}
	_, _ = fmt.Fprint(w, "data: [DONE]\n\n")
}

// text is a message's content, which is a string or a list of parts.
func text(content json.RawMessage) string {
	var s string
	if json.Unmarshal(content, &s) == nil {
		return s
	}
	var parts []struct{ Text string }
	_ = json.Unmarshal(content, &parts)
	var out strings.Builder
	for _, p := range parts {
		out.WriteString(p.Text)
	}
	return out.String()
}
