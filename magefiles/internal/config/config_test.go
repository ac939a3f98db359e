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
		"ENVIRONMENT":         "The secret one",
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

func TestAValueOfAnotherKindIsNamedByItsVariable(t *testing.T) {
	for name, remedy := range map[string]string{"TODO_HTTP_PORT": "use a number", "TODO_TIMEOUT": "use a duration, such as 5m"} {
		_, err := parse("/x", map[string]string{"TODO_CACHE": "/c", name: "secret"})
		require.EqualError(t, err, name+" is not valid")
		assert.Equal(t, fault.CodeInput, fault.Code(err))
		assert.Equal(t, remedy, fault.Remedy(err))
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

func TestAMistypedSettingIsNamedWithTheRightOne(t *testing.T) {
	for wrong, right := range map[string]string{
		"TODO_CLUSTR": "TODO_CLUSTER", "TODO_IMAGE": "TODO_IMAGES", "TODO_HTTPPORT": "TODO_HTTP_PORT", "TODO_CLUSTER_NAMES": "TODO_CLUSTER_NAME",
		"TODO_TIMEOTU": "TODO_TIMEOUT", "TODO_DATABASE_URL": "DATABASE_URL", "TODO_LOG_LEVEL": "LOG_LEVEL",
	} {
		err := mistyped(map[string]string{wrong: "secret"})
		require.EqualError(t, err, wrong+" is no setting")
		assert.Equal(t, fault.CodeInput, fault.Code(err))
		assert.Contains(t, fault.Remedy(err), right+" is one")
	}
	for _, name := range names() {
		require.NoError(t, mistyped(map[string]string{name: "x"}), name)
	}
	for _, foreign := range []string{"TODO_DIR", "TODO_FILE", "TODO_BACKEND_PORT", "TODO_FRONTEND_IMAGE", "TODO_POSTGRES_IMAGE", "TODO_APP_SERVICE_HOST", "TODOTXT_CFG_FILE", "PATH"} {
		require.NoError(t, mistyped(map[string]string{foreign: "x"}), foreign)
	}

	t.Setenv("TODO_CLUSTR", "kind")
	_, err := Load(t.TempDir())
	require.EqualError(t, err, "TODO_CLUSTR is no setting")
}

func TestSecretsAreThoseOfTheSettingsAndTheDatabasesPassword(t *testing.T) {
	c, err := parse("/x", map[string]string{
		"TODO_CACHE": "/c", "DATABASE_URL": "postgresql://u:p%40ssword@host/db", "JWT_SECRET": "0123456789abcdef0123456789abcdef", "OPENAI_API_KEY": "sk-x",
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"postgresql://u:p%40ssword@host/db", "0123456789abcdef0123456789abcdef", "sk-x", "p@ssword"}, c.Secrets())
}
