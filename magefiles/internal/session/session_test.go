package session

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/ui"
)

// open makes a session, and gives what it prints.
func open(t *testing.T, cfg config.Config) (Session, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	cfg.Cache, cfg.ClusterName, cfg.Namespace = t.TempDir(), "x", "todo"
	return New(&cfg, ui.Plain(&out)), &out
}

func TestURLsAreThoseThatAnswer(t *testing.T) {
	for _, k := range []struct {
		tls    string
		access cluster.Access
		want   string
	}{
		{config.TLSOff, cluster.Access{HTTP: "127.0.0.1:80", HTTPS: "127.0.0.1:443"},
			"\n  http://todo.localhost\n  http://todo.example   once todo.example points to 127.0.0.1\n\n"},
		{config.TLSSelfSigned, cluster.Access{HTTP: "127.0.0.1:8080", HTTPS: "127.0.0.1:443"},
			"\n  http://todo.localhost:8080\n  https://todo.localhost\n  http://todo.example:8080   once todo.example points to 127.0.0.1\n  https://todo.example   likewise\n\n"},
		{config.TLSSelfSigned, cluster.Access{HTTP: "192.0.2.1:80", HTTPS: "192.0.2.1:8443"},
			"\n  http://todo.example   once todo.example points to 192.0.2.1, by DNS or a line in /etc/hosts\n  https://todo.example:8443   likewise\n\n"},
		{config.TLSOff, cluster.Access{}, ""},
	} {
		s, out := open(t, config.Config{Host: "todo.example", TLS: k.tls})
		s.PrintURLs(k.access)
		assert.Equal(t, k.want, out.String())
	}
}

// lines is what a run prints, a write at a time.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func TestASecondRunWaitsForTheFirstAndNamesIt(t *testing.T) {
	first, _ := open(t, config.Config{})
	said := make(lines)
	second := New(first.Config, ui.Plain(said))
	order := make(chan string, 2)
	ran := make(chan error, 1)
	require.NoError(t, first.Exclusively(t.Context(), func() error {
		go func() {
			ran <- second.Exclusively(t.Context(), func() error {
				order <- "second"
				return nil
			})
		}()
		assert.Regexp(t, `another run works on cluster x \(process \d+ since`, <-said)
		order <- "first"
		return nil
	}))
	require.NoError(t, <-ran)
	assert.Equal(t, "first", <-order)
}

func TestAWaitingRunCanBeInterrupted(t *testing.T) {
	s, _ := open(t, config.Config{})
	other := New(s.Config, s.UI)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Exclusively(t.Context(), func() error {
		time.AfterFunc(100*time.Millisecond, cancel)
		return other.Exclusively(ctx, func() error { return errors.New("both ran") })
	})
	require.ErrorIs(t, err, context.Canceled)
}
