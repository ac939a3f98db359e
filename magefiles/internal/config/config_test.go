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
		"TODO_INGRESS_CLASS":  "secret", // without a context
		"TODO_TIMEOUT":        "1s",
		"DATABASE_URL":        "mysql://u:secret@h/d",
		"JWT_SECRET":          "secret",
		"OPENAI_BASE_URL":     "secret",
		"SMTP_URL":            "smtps://u:secret@mail.example.com",
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

func TestTheIngressOfAnotherCluster(t *testing.T) {
	with := func(more ...string) (*Config, error) {
		vars := map[string]string{"TODO_CACHE": "/c", "TODO_CLUSTER": "context:prod", "TODO_REGISTRY": "r.example"}
		for n := 0; n < len(more); n += 2 {
			vars[more[n]] = more[n+1]
		}
		return parse("/x", vars)
	}
	c, err := with("TODO_INGRESS_CLASS", "edge", "TODO_TLS", "secret:todo.example-tls")
	require.NoError(t, err)
	assert.Equal(t, "edge", c.IngressClass)
	assert.Equal(t, "todo.example-tls", c.TLSSecret())
	c, err = with("TODO_TLS", "self-signed")
	require.NoError(t, err)
	assert.Empty(t, c.TLSSecret())
	for _, bad := range []string{"secret:", "secret:Name", "secret:../x", "self-signed:x"} {
		_, err = with("TODO_TLS", bad)
		require.ErrorContains(t, err, "TODO_TLS", bad)
	}
	_, err = with("TODO_INGRESS_CLASS", "No_class")
	require.ErrorContains(t, err, "TODO_INGRESS_CLASS")
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

// A password with a $ must not become another one: godotenv and docker compose, which reads the same file, put
// variables in its place.
func TestADollarInDotEnvIsTakenLiterallyOrRefused(t *testing.T) {
	const url, literal = "postgresql://u:pa$A1ss@h/d", ""
	for _, x := range []struct{ name, file, want, line string }{
		{"in single quotes", "DATABASE_URL='" + url + "'\n", url, ""},
		{"in single quotes, with spaces and export", "  export DATABASE_URL = '" + url + "' # a $comment\n", url, ""},
		{"unquoted", "# settings\nDATABASE_URL=" + url + "\n", literal, "line 2"},
		{"in double quotes", "DATABASE_URL=\"" + url + "\"\n", literal, "line 1"},
		{"in double quotes, after what looks like a comment", "DATABASE_URL=\"postgresql://u:a #$A1@h/d\"\n", literal, "line 1"},
		{"a lower-case name, which only compose replaces", "DATABASE_URL=postgresql://u:pa$ss@h/d\n", literal, "line 1"},
		{"in braces", "DATABASE_URL=postgresql://u:${PASSWORD}@h/d\n", literal, "line 1"},
		{"escaped, which not every reader knows", "DATABASE_URL=\"postgresql://u:pa\\$A1@h/d\"\n", literal, "line 1"},
		{"a YAML-like line with CR", "LOG_LEVEL=INFO\r\nDATABASE_URL: " + url + "\r\n", literal, "line 2"},
		{"without a line end", "DATABASE_URL=" + url, literal, "line 1"},
		{"in a comment", "DATABASE_URL=postgresql://u:p@h/d # costs $5\n", "postgresql://u:p@h/d", ""},
		{"in a whole line of comment", "#DATABASE_URL=" + url + "\n", literal, ""},
		{"of another program", "OTHER=${HOME}/x\n", literal, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			root := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(root, ".env"), []byte(x.file), 0o600))
			c, err := Load(root)
			if x.line == "" {
				require.NoError(t, err)
				assert.Equal(t, x.want, c.DatabaseURL)
				return
			}
			require.ErrorContains(t, err, ".env, "+x.line+": DATABASE_URL has a $ outside single quotes")
			assert.Equal(t, fault.CodeInput, fault.Code(err))
			assert.Contains(t, fault.Remedy(err), "DATABASE_URL='…'")
			assert.NotContains(t, err.Error(), "postgresql")
		})
	}
}

func TestTakeLeavesNoSecretInTheEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"DATABASE_URL": "postgresql://u:root@h/d", "JWT_SECRET": "0123456789abcdef0123456789abcdef", "OPENAI_API_KEY": "none", "USER": "root", "LOG_LEVEL": "DEBUG",
		"OF_ANOTHER_NAME": "postgresql://u:root@h/d", "AS_SHORT": "none",
	} {
		t.Setenv(name, value)
	}
	c, err := Take(t.TempDir())
	require.NoError(t, err)
	assert.Equal(t, []string{"postgresql://u:root@h/d", "0123456789abcdef0123456789abcdef", "none", "root"}, c.Secrets())
	for _, name := range []string{"DATABASE_URL", "JWT_SECRET", "OPENAI_API_KEY", "OF_ANOTHER_NAME"} {
		_, there := os.LookupEnv(name)
		assert.False(t, there, name)
	}
	for name, value := range map[string]string{"USER": "root", "AS_SHORT": "none", "LOG_LEVEL": "DEBUG"} {
		assert.Equal(t, value, os.Getenv(name), "a short value says nothing")
	}
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
		"SMTP_URL": "smtps://u:m%40il@h?from=a@b",
	})
	require.NoError(t, err)
	want := []string{"postgresql://u:p%40ssword@host/db", "0123456789abcdef0123456789abcdef", "sk-x", "smtps://u:m%40il@h?from=a@b", "p@ssword", "m@il"}
	assert.Equal(t, want, c.Secrets())
}

func TestTheMailServersPortIsThatOfItsURL(t *testing.T) {
	for given, want := range map[string]int{
		"": 0, "smtp://h?from=a@b": 25, "smtps://h?from=a@b": 465, "smtp://u:p@h:587?from=a@b": 587,
		"smtps://h": 0, "https://h?from=a@b": 0, "smtp://?from=a@b": 0, "smtp://h:x?from=a@b": 0,
	} {
		assert.Equal(t, want, (&Config{SMTPURL: given}).MailPort(), given)
	}
}
