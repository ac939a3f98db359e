package engine

import (
	"context"
	"io"
	"net"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"todo.local/magefiles/internal/run"
)

// connect gives the interface of the engine at an endpoint. A socket of this machine and what DOCKER_HOST names are
// reached directly. What else there is, such as a context with certificates or ssh, the docker client knows how to
// reach, and stands between. Nothing is sent before the first question, whose answer tells the version to talk in.
func connect(r run.Runner, cli string, e Endpoint) (*client.Client, error) {
	switch {
	case e.Host == "" && e.Source == "":
		return client.New(client.WithAPIVersionFromEnv())
	case strings.HasPrefix(e.Host, "unix://"):
		return client.New(client.WithHost(e.Host), client.WithAPIVersionFromEnv())
	case e.Source == "DOCKER_HOST" && !strings.HasPrefix(e.Host, "ssh://"):
		return client.New(client.FromEnv)
	}
	return client.New(client.WithHost("http://docker"), client.WithAPIVersionFromEnv(),
		client.WithDialContext(func(ctx context.Context, _, _ string) (net.Conn, error) { return dialThrough(ctx, r, cli), nil }))
}

// dialThrough connects by way of the docker client, which copies what comes and goes.
func dialThrough(ctx context.Context, r run.Runner, cli string) net.Conn {
	fromEngine, out := io.Pipe()
	in, toEngine := io.Pipe()
	lives, end := context.WithCancel(context.WithoutCancel(ctx)) // as long as the connection, whoever asked for it
	go func() {
		_, err := r.Run(lives, run.Cmd{Name: cli, Args: []string{"system", "dial-stdio"}, Stdin: in, Stdout: out, Grace: time.Second})
		_ = out.CloseWithError(err)
		_ = in.CloseWithError(err)
	}()
	return &clientConn{fromEngine, toEngine, end}
}

// clientConn is a connection whose two directions are the output and the input of a docker client.
type clientConn struct {
	*io.PipeReader
	toEngine *io.PipeWriter
	end      context.CancelFunc
}

func (c *clientConn) Write(p []byte) (int, error) { return c.toEngine.Write(p) }

// CloseWrite tells the engine that nothing more comes.
func (c *clientConn) CloseWrite() error { return c.toEngine.Close() }

// Close ends the docker client.
func (c *clientConn) Close() error {
	c.end()
	_ = c.toEngine.Close() // gives no error, as the next one
	return c.PipeReader.Close()
}

func (*clientConn) LocalAddr() net.Addr  { return clientAddr{} }
func (*clientConn) RemoteAddr() net.Addr { return clientAddr{} }

// Deadlines are the client's to keep, by closing the connection.
func (*clientConn) SetDeadline(time.Time) error      { return nil }
func (*clientConn) SetReadDeadline(time.Time) error  { return nil }
func (*clientConn) SetWriteDeadline(time.Time) error { return nil }

type clientAddr struct{}

func (clientAddr) Network() string { return "docker" }
func (clientAddr) String() string  { return "docker system dial-stdio" }
