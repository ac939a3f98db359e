//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/fault"
)

// aiOperations asks about the running application, without a model and with one that is a script here, and has nothing
// changed by either.
func aiOperations(t *testing.T, project checkout) {
	d := running(t)
	pods := d.names(t, "todo-backend")
	offline := []string{"OPENAI_API_KEY="}

	r := project.mage(t, offline, "ai", "show the pods")
	require.Zero(t, r.code)
	assert.Contains(t, r.output, "Built-in interpreter")
	for _, name := range pods {
		assert.Contains(t, r.output, name)
	}
	r = project.mage(t, offline, "ai", "what is wrong?")
	require.Zero(t, r.code)
	assert.Regexp(t, `backend is well: 2 of 2 pods are ready`, r.output)
	for _, question := range []string{"show the deployments", "logs of the backend", "show the last events", "which revisions are there?"} {
		require.Zero(t, project.mage(t, offline, "ai", question).code, question)
	}
	assert.Equal(t, fault.CodeInput, project.mage(t, offline, "ai", "make me a sandwich").code)

	r = project.mage(t, offline, "ai", "scale the backend to 3")
	assert.Equal(t, fault.CodeFailed, r.code, "there is no terminal to ask at")
	assert.Contains(t, r.output, "go tool mage scale backend 3")
	assert.Equal(t, pods, d.names(t, "todo-backend"))

	model := &scriptedModel{}
	server := httptest.NewServer(model)
	defer server.Close()
	online := []string{"OPENAI_API_KEY=the-models-key", "OPENAI_BASE_URL=" + server.URL + "/v1"}
	r = project.mage(t, online, "ai", "how is the backend?")
	require.Zero(t, r.code)
	assert.Contains(t, r.output, "I saw the cluster [R1].")
	assert.Contains(t, r.output, "[R1] status", "and on what the answer rests")
	assert.NotContains(t, r.output, "the-models-key")
	for _, name := range pods {
		assert.Contains(t, model.saw(), name, "what the model was told of")
	}
	r = project.mage(t, online, "ai", "propose: restart the backend")
	assert.Equal(t, fault.CodeFailed, r.code)
	assert.Contains(t, r.output, "go tool mage restart backend")
	assert.Equal(t, pods, d.names(t, "todo-backend"))

	r = project.mage(t, nil, "ai:audit")
	require.Zero(t, r.code)
	for _, want := range []string{"asked +how is the backend\\?", "read +status", "asked +propose: restart the backend", "none changed"} {
		assert.Regexp(t, want, r.output)
	}
	assert.NotContains(t, r.output, "the-models-key")

	require.Zero(t, project.mage(t, nil, "restart", "backend").code)
	assert.Len(t, d.names(t, "todo-backend"), len(pods))
	for _, name := range d.names(t, "todo-backend") {
		assert.NotContains(t, pods, name)
	}
	r = project.mage(t, nil, "deploy")
	require.Zero(t, r.code)
	assert.Contains(t, r.output, "Nothing changed", "a restart is no difference that deploy would put back")
}

// scriptedModel speaks the wire of chat completions. It looks at the status and says so; asked to propose, it proposes
// a restart.
type scriptedModel struct {
	mu   sync.Mutex
	told string
}

func (m *scriptedModel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Messages []struct{ Role, Content string }
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil || r.URL.Path != "/v1/chat/completions" || len(request.Messages) < 2 {
		http.Error(w, "not a chat", http.StatusBadRequest)
		return
	}
	last := request.Messages[len(request.Messages)-1]
	call := func(name, arguments string) string {
		return fmt.Sprintf(`{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":%q,"arguments":%q}}]}`, name, arguments)
	}
	reply := call("status", "{}")
	switch {
	case last.Role == "tool":
		m.mu.Lock()
		m.told = last.Content
		m.mu.Unlock()
		reply = `{"role":"assistant","content":"I saw the cluster [R1]."}`
	case last.Content == "propose: restart the backend":
		reply = call("restart", `{"service":"backend"}`)
	}
	_, _ = fmt.Fprintf(w, `{"choices":[{"index":0,"finish_reason":"stop","message":%s}]}`, reply)
}

// saw gives the last result that the model got.
func (m *scriptedModel) saw() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.told
}
