package operate

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"todo.local/magefiles/internal/ai"
	"todo.local/magefiles/internal/analysis"
	"todo.local/magefiles/internal/host"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/ui"
)

// MCP offers the assistant's tools to a client of the Model Context Protocol: on standard input and output, or over
// HTTP on a port of 127.0.0.1 to those who have the token. It goes on until it is interrupted, or until standard input
// ends.
func MCP(ctx context.Context, s session.Session, port int) error {
	var listener net.Listener
	if port != 0 {
		var err error
		if listener, err = host.Listen(ctx, port); err != nil {
			return err
		}
		defer func() { _ = listener.Close() }()
	}
	s.UI = ui.Plain(os.Stderr) // standard output is the client's
	c, err := s.OpenCluster(ctx)
	if err != nil {
		return err
	}
	hidden, err := knownSecrets(ctx, c)
	if err != nil {
		return err
	}
	log := auditLog(s)
	server := (&ai.Session{UI: s.UI, Application: application(s), Operations: renewed{c}, Secrets: hidden,
		Audit: func(_, event, detail string) error { return log.Add("MCP client", event, detail) }}).Server()
	if listener == nil {
		err := server.Run(ctx, &mcp.StdioTransport{})
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	}
	return serve(ctx, s, server, listener)
}

// serve answers over HTTP until it is interrupted.
func serve(ctx context.Context, s session.Session, server *mcp.Server, listener net.Listener) error {
	token := rand.Text()
	path := filepath.Join(s.Config.State, "mcp-token")
	if err := errors.Join(os.MkdirAll(s.Config.State, 0o755), os.WriteFile(path, []byte(token+"\n"), 0o600), os.Chmod(path, 0o600)); err != nil {
		return err
	}
	defer func() { _ = os.Remove(path) }()
	s.UI.Printf("MCP at http://%s/mcp, with the bearer token in %s, until Ctrl-C\n", listener.Addr(), s.Config.Relative(path))
	return host.Serve(ctx, listener, guarded(token, server))
}

// guarded answers those who have the token. That no page in a browser reaches it by another name is the SDK's to see
// to.
func guarded(token string, server *mcp.Server) http.Handler {
	inner := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+token)) != 1 {
			http.Error(w, "no or a wrong token", http.StatusUnauthorized)
			return
		}
		if r.URL.Path != "/mcp" {
			http.NotFound(w, r)
			return
		}
		inner.ServeHTTP(w, r)
	})
}

// renewed are the operations of a session that may last: every look has a token of its own.
type renewed struct{ cluster session.Cluster }

// Analyze looks at everything.
func (r renewed) Analyze(ctx context.Context) ([]analysis.Finding, error) {
	return r.cluster.Findings(ctx)
}

// Read takes a look as ai-view.
func (r renewed) Read(ctx context.Context, c ai.Call) (string, error) {
	ops, err := assistant(ctx, r.cluster)
	if err != nil {
		return "", err
	}
	return ops.Read(ctx, c)
}

// Preview tries a change.
func (r renewed) Preview(ctx context.Context, c ai.Call) (string, error) {
	return operations{Cluster: r.cluster}.Preview(ctx, c)
}

// Change makes a change.
func (r renewed) Change(ctx context.Context, c ai.Call) error {
	return operations{Cluster: r.cluster}.Change(ctx, c)
}
