package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"todo.local/magefiles/internal/fault"
)

func TestDefaultsAreValid(t *testing.T) {
	c, err := parse("/checkout", map[string]string{"HOME": "/home/x", "TODO_CACHE": "/cache"})
	require.NoError(t, err)
	assert.Equal(t, "todo", c.ClusterName)
	assert.Equal(t, "/checkout/.cache/kubeconfig-todo", c.Kubeconfig())
	assert.Empty(t, c.Secrets())
}

func TestBadInputNamesTheVariableAndNotItsValue(t *testing.T) {
	for name, value := range map[string]string{
		"TODO_CLUSTER":        "k3s-secret",
		"TODO_CLUSTER_NAME":   "Not_a_name-secret",
		"TODO_IMAGES":         "dockerhub-secret",
		"TODO_REGISTRY":       "https://secret.example.com/x",
		"TODO_NODE_IMAGE":     "secret:without-a-registry",
		"TODO_NAMESPACE":      "-secret",
		"TODO_HOST":           "secret/host",
		"TODO_HTTP_PORT":      "70000",
		"TODO_HTTPS_PORT":     "-1",
		"TODO_TLS":            "secret",
		"TODO_TIMEOUT":        "1s",
		"DATABASE_URL":        "mysql://u:secret@h/d",
		"JWT_SECRET":          "secret",
		"OPENAI_BASE_URL":     "secret",
		"NEXT_PUBLIC_API_URL": "ftp://secret/",
		"LOG_LEVEL":           "secret",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse("/x", map[string]string{"TODO_CACHE": "/c", name: value})
			require.Error(t, err)
			assert.Equal(t, fault.CodeInput, fault.Code(err))
			assert.Contains(t, err.Error(), name)
			assert.NotContains(t, err.Error(), "secret")
			assert.NotEmpty(t, fault.Remedy(err))
		})
	}
}

func TestDatabaseURLs(t *testing.T) {
	for _, good := range []string{
		"", "postgres://u:p@host/db", "postgresql://u:p%40@ep-x.eu.neon.tech/db?sslmode=require&channel_binding=require", "postgresql+psycopg://u@[::1]:5433/db",
	} {
		assert.True(t, validDatabaseURL(good), good)
	}
	for _, bad := range []string{"host/db", "postgresql://host", "postgresql:///db", "postgresql://u:p@host:port/db", "http://h/d"} {
		assert.False(t, validDatabaseURL(bad), bad)
	}
}

func TestContextNeedsARegistry(t *testing.T) {
	_, err := parse("/x", map[string]string{"TODO_CACHE": "/c", "TODO_CLUSTER": "context:prod"})
	require.ErrorContains(t, err, "TODO_REGISTRY")
	c, err := parse("/x", map[string]string{"TODO_CACHE": "/c", "TODO_CLUSTER": "context:prod", "TODO_REGISTRY": "127.0.0.1:5000/team"})
	require.NoError(t, err)
	assert.Equal(t, "prod", c.Context())
}

func TestDotEnvFillsWhatTheEnvironmentLeavesOpen(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, ".env"), []byte("TODO_HOST=from.file\nTODO_NAMESPACE=filed\n"), 0o600))
	t.Setenv("TODO_NAMESPACE", "given")
	c, err := Load(root)
	require.NoError(t, err)
	assert.Equal(t, "from.file", c.Host)
	assert.Equal(t, "given", c.Namespace)
}

func TestBrokenDotEnvDoesNotLeak(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, ".env"), []byte("this is 'secret\n"), 0o600))
	_, err := Load(root)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "secret")
}
