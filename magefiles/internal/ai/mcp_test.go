package ai

import (
	"bytes"
	"context"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/analysis"
	"todo.local/magefiles/internal/ui"
)

// client connects the SDK's client to the server. Its person answers as told; without, it cannot ask them.
func client(t *testing.T, ops *fakeOperations, answer func(*mcp.ElicitRequest) *mcp.ElicitResult) (*mcp.ClientSession, *[]string) {
	t.Helper()
	var kept []string
	s := &Session{UI: ui.Plain(&bytes.Buffer{}), Application: todo, Operations: ops, Secrets: KnownSecrets("hunter2hunter2"),
		Audit: func(_, event, detail string) error { kept = append(kept, event+" "+detail); return nil }}
	options := &mcp.ClientOptions{}
	if answer != nil {
		options.ElicitationHandler = func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) { return answer(r), nil }
	}
	here, there := mcp.NewInMemoryTransports()
	_, err := s.Server().Connect(t.Context(), there, nil)
	require.NoError(t, err)
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test"}, options).Connect(t.Context(), here, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = session.Close() })
	return session, &kept
}

func ask(t *testing.T, c *mcp.ClientSession, name string, arguments map[string]any) (text string, failed bool) {
	t.Helper()
	r, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: arguments})
	require.NoError(t, err)
	require.Len(t, r.Content, 1)
	return r.Content[0].(*mcp.TextContent).Text, r.IsError
}

func TestAClientLooks(t *testing.T) {
	ops := &fakeOperations{gives: map[string]string{Logs: "the password is hunter2hunter2"},
		finds: []analysis.Finding{{ID: "memory/pod/x", Cause: "x was killed", Confidence: analysis.Certain, Remedy: "go tool mage top"}}}
	c, kept := client(t, ops, nil)
	tools, err := c.ListTools(t.Context(), nil)
	require.NoError(t, err)
	assert.Len(t, tools.Tools, len(todo.tools())+1)
	text, failed := ask(t, c, "analysis", nil)
	assert.False(t, failed)
	assert.Contains(t, text, "[memory/pod/x] x was killed (certain)")
	text, failed = ask(t, c, Logs, map[string]any{"service": "backend"})
	assert.False(t, failed)
	assert.Equal(t, "the password is (left out)", text)
	text, failed = ask(t, c, Logs, map[string]any{"service": "../secrets"})
	assert.True(t, failed)
	assert.Contains(t, text, "one of the services")
	assert.Equal(t, []string{"read analysis", "read logs backend"}, *kept)
}

func TestAClientsPersonDecides(t *testing.T) {
	ops := &fakeOperations{}
	var shown string
	yes := func(r *mcp.ElicitRequest) *mcp.ElicitResult {
		shown = r.Params.Message
		assert.Empty(t, ops.calls, "nothing is done before the answer")
		return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"agreed": true}}
	}
	c, kept := client(t, ops, yes)
	text, failed := ask(t, c, Scale, map[string]any{"service": "backend", "pods": 3})
	assert.False(t, failed, text)
	assert.Contains(t, shown, "Proposed: scale backend to 3 pods   (go tool mage scale backend 3)\n\ndiff of scale")
	assert.Equal(t, []Call{{Tool: Scale, Service: "backend", Number: 3}}, ops.calls)
	assert.Equal(t, []string{"proposed scale backend to 3 pods", "answered yes", "done scale backend to 3 pods: done"}, *kept)

	for name, answer := range map[string]*mcp.ElicitResult{
		"declined": {Action: "decline"}, "put away": {Action: "cancel"}, "unticked": {Action: "accept", Content: map[string]any{"agreed": false}},
	} {
		ops := &fakeOperations{}
		c, _ := client(t, ops, func(*mcp.ElicitRequest) *mcp.ElicitResult { return answer })
		text, _ := ask(t, c, Restart, map[string]any{"service": "backend"})
		assert.Contains(t, text, "Nothing was changed", name)
		assert.Empty(t, ops.calls, name)
	}
}

func TestAClientThatCannotAskChangesNothing(t *testing.T) {
	ops := &fakeOperations{}
	c, kept := client(t, ops, nil)
	text, _ := ask(t, c, Rollback, map[string]any{"revision": 0})
	assert.Equal(t, "Nothing was changed, as this client cannot ask its person. They can run: go tool mage release:rollback", text)
	assert.Empty(t, ops.calls)
	assert.Equal(t, []string{"refused nobody to ask: roll back to the last other version that passed its checks"}, *kept)
}
