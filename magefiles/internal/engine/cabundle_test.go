package engine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/config"
)

func TestCABundle(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o644))

	t.Setenv("SSL_CERT_FILE", file)
	path, ok := CABundle(&config.Config{})
	assert.Equal(t, file, path)
	assert.True(t, ok)

	path, ok = CABundle(&config.Config{CABundle: "/no/such/file"})
	assert.Equal(t, "/no/such/file", path, "a wrong setting is reported, not passed over")
	assert.False(t, ok)

	t.Setenv("SSL_CERT_FILE", "")
	if path, ok = CABundle(&config.Config{}); ok {
		assert.True(t, strings.HasPrefix(path, "/etc/"))
	}
}
