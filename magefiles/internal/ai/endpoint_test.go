package ai

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/fault"
)

func TestABusyOrBrokenEndpointIsAskedAgain(t *testing.T) {
	for name, bad := range map[string]turn{"busy": {status: 429}, "broken": {status: 500}, "cut off": {cut: true}} {
		s, server, _, out := session(t, bad, bad, turn{content: "All is well. [analysis]"})
		require.NoError(t, s.Answer(t.Context(), "how are you?"), name)
		assert.Len(t, server.asked, 3, name)
		assert.Contains(t, out.String(), "All is well.", name)
	}
}

func TestAnEndpointThatStaysBadIsAFailure(t *testing.T) {
	for _, k := range []struct {
		bad      turn
		attempts int
		code     int
		what     string
	}{
		{turn{status: 429}, maxAttempts, fault.CodeEnvironment, "busy or broken (429 Too Many Requests: no, (left out))"},
		{turn{status: 500}, maxAttempts, fault.CodeEnvironment, "busy or broken"},
		{turn{cut: true}, maxAttempts, fault.CodeEnvironment, "does not answer: unexpected EOF"},
		{turn{status: 429, retryAfter: "3600"}, 1, fault.CodeEnvironment, "busy or broken"},
		{turn{status: 401}, 1, fault.CodeInput, "does not take the key (401 Unauthorized: no, (left out))"},
		{turn{status: 404}, 1, fault.CodeInput, "does not take the request"},
		{turn{status: 307}, 1, fault.CodeInput, "does not take the request"},
		{turn{raw: "<html>"}, 1, fault.CodeEnvironment, "no chat completion"},
		{turn{raw: `{"choices":[]}`}, 1, fault.CodeEnvironment, "no chat completion"},
		{turn{raw: strings.Repeat(" ", maxAnswer+1)}, 1, fault.CodeEnvironment, "too long"},
		{turn{content: " "}, 1, fault.CodeEnvironment, "empty answer"},
		{turn{refusal: "I won't."}, 1, fault.CodeFailed, "declines to answer: I won't."},
	} {
		s, server, ops, out := session(t, k.bad)
		err := s.Answer(t.Context(), "what is wrong?")
		assert.ErrorContains(t, err, k.what)
		assert.Equal(t, k.code, fault.Code(err), k.what)
		assert.Len(t, server.asked, k.attempts, k.what)
		assert.Empty(t, ops.calls)
		assert.NotContains(t, err.Error()+out.String(), key)
	}
}

func TestAnEndpointThatIsNotThere(t *testing.T) {
	s, _, _, _ := session(t, turn{})
	s.Endpoint.URL = "http://127.0.0.1:1"
	err := s.Answer(t.Context(), "what is wrong?")
	assert.Equal(t, fault.CodeEnvironment, fault.Code(err))
	assert.Contains(t, fault.Remedy(err), "OPENAI_BASE_URL")
}

func TestAnAnswerCanBeInterrupted(t *testing.T) {
	s, _, _, _ := session(t, turn{status: 500})
	s.Endpoint.pause = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	start := time.Now()
	require.ErrorIs(t, s.Answer(ctx, "what is wrong?"), context.Canceled)
	assert.Less(t, time.Since(start), 10*time.Second)
}
