package host

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPortIsListenedOnUntilTheContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l, err := Listen(ctx, 0)
	require.NoError(t, err)
	served := make(chan error)
	go func() {
		served <- Serve(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }))
	}()

	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String(), nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Equal(t, "here", string(body))
	port := l.Addr().(*net.TCPAddr).Port
	_, err = Listen(ctx, port)
	require.ErrorContains(t, err, "cannot be had")

	cancel()
	require.NoError(t, <-served)
	assert.False(t, PortTaken(t.Context(), port))
}

func TestNoPortIsRefused(t *testing.T) {
	for _, port := range []int{-1, 65536} {
		_, err := Listen(t.Context(), port)
		require.ErrorContains(t, err, "is no port")
	}
}
