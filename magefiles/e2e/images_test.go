//go:build e2e || worlds

package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type testRegistry struct {
	http.Handler
	addr    string // 127.0.0.1:port
	mu      sync.Mutex
	uploads int // blobs
	pulls   int // of manifests
	// answer answers a request in the registry's place; it returns false to leave it to the registry.
	answer atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
}

func newRegistry(t *testing.T) *testRegistry {
	t.Helper()
	r := &testRegistry{Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}
	r.addr = r.listen(t, "127.0.0.1:0")
	return r
}

func (r *testRegistry) listen(t *testing.T, addr string) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", addr)
	require.NoError(t, err)
	s := &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

func (r *testRegistry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	if req.Method == http.MethodPut && strings.Contains(req.URL.Path, "/blobs/uploads/") {
		r.uploads++
	}
	if req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/manifests/") {
		r.pulls++
	}
	r.mu.Unlock()
	if answer := r.answer.Load(); answer != nil && *answer != nil && (*answer)(w, req) {
		return
	}
	r.Handler.ServeHTTP(w, req)
}

func tarOf(t *testing.T, files map[string]string) io.Reader {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for name, text := range files {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}))
		_, err := io.WriteString(w, text)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return &archive
}

func removeAtEnd(t *testing.T, pattern string) {
	t.Helper()
	d := docker(t)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 30*time.Second)
		defer cancel()
		names, err := d.Output(ctx, "image", "ls", "--filter", "reference="+pattern, "--format", "{{.Repository}}:{{.Tag}}")
		if assert.NoError(t, err) && names != "" {
			_, err = d.Output(ctx, append([]string{"image", "rm"}, strings.Fields(names)...)...)
			assert.NoError(t, err)
		}
	})
}

func uniqueTag() string { return strconv.FormatInt(time.Now().UnixNano(), 36) }

func foreignShell(t *testing.T, arch string) v1.Layer {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o644))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	program := filepath.Join(dir, "sh")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, filepath.Join(dir, "main.go"))
	cmd.Env = append(os.Environ(), "GOARCH="+arch, "GOOS=linux", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	raw, err := os.ReadFile(program)
	require.NoError(t, err)
	return programLayer(t, raw, "bin/sh")
}

func programLayer(t *testing.T, program []byte, path string) v1.Layer {
	t.Helper()
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: path, Mode: 0o755, Size: int64(len(program))}))
	_, err := w.Write(program)
	require.NoError(t, errors.Join(err, w.Close()))
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files.Bytes())), nil })
	require.NoError(t, err)
	return layer
}
