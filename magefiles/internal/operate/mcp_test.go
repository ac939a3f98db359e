package operate

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bearer is a client that brings a token.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Authorization", string(b))
	return http.DefaultTransport.RoundTrip(r)
}

func TestOverHTTPTheTokenOpensAndNothingElse(t *testing.T) {
	server := httptest.NewServer(guarded("the-token", mcp.NewServer(&mcp.Implementation{Name: "todo"}, nil)))
	defer server.Close()
	connect := func(authorization, path string) error {
		c, err := mcp.NewClient(&mcp.Implementation{Name: "test"}, nil).Connect(t.Context(), &mcp.StreamableClientTransport{
			Endpoint: server.URL + path, HTTPClient: &http.Client{Transport: bearer(authorization)}, MaxRetries: -1}, nil)
		if err == nil {
			_ = c.Close()
		}
		return err
	}
	require.NoError(t, connect("Bearer the-token", "/mcp"))
	for _, wrong := range []string{"", "Bearer ", "Bearer the-tokem", "the-token", "Bearer the-token2"} {
		assert.Error(t, connect(wrong, "/mcp"), wrong)
	}
	assert.Error(t, connect("Bearer the-token", "/"))

	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/mcp", nil)
	require.NoError(t, err)
	r.Host = "evil.example.com"
	res, err := (&http.Client{Transport: bearer("Bearer the-token")}).Do(r)
	require.NoError(t, err)
	_ = res.Body.Close()
	assert.Equal(t, http.StatusForbidden, res.StatusCode, "by another name, as from a page in a browser")
}
