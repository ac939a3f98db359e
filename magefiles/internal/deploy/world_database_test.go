package deploy

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/secrets"
)

func (w *world) secret() map[string][]byte {
	found, err := w.client.Tracker().Get(corev1.SchemeGroupVersion.WithResource("secrets"), namespace, secrets.Name)
	require.NoError(w.t, err)
	return found.(*corev1.Secret).Data
}

var alterRole = regexp.MustCompile(`^ALTER ROLE todo PASSWORD '(SCRAM-SHA-256\$[^']+)';\n$`)

// exec is PostgreSQL at its console.
func (w *world) exec(_ context.Context, p kube.Process) error {
	sql, err := io.ReadAll(p.Stdin)
	require.NoError(w.t, err)
	m := alterRole.FindSubmatch(sql)
	require.NotNil(w.t, m, "%s", sql)
	return w.step("ALTER ROLE", func() { w.verifier = string(m[1]) })
}

var verifierParts = regexp.MustCompile(`^SCRAM-SHA-256\$4096:([^$]+)\$([^:]+):`)

// opens tells whether the database lets somebody in who has this URL.
func (w *world) opens(databaseURL string) bool {
	u, err := url.Parse(databaseURL)
	require.NoError(w.t, err)
	password, _ := u.User.Password()
	m := verifierParts.FindStringSubmatch(w.verifier)
	require.NotNil(w.t, m, w.verifier)
	salt, err := base64.StdEncoding.DecodeString(m[1])
	require.NoError(w.t, err)
	return stored(w.t, password, salt) == m[2]
}

// stored is the part of a verifier that a password is checked against (RFC 5802).
func stored(t *testing.T, password string, salt []byte) string {
	t.Helper()
	salted, err := pbkdf2.Key(sha256.New, password, salt, 4096, sha256.Size)
	require.NoError(t, err)
	h := hmac.New(sha256.New, salted)
	h.Write([]byte("Client Key"))
	key := sha256.Sum256(h.Sum(nil))
	return base64.StdEncoding.EncodeToString(key[:])
}

func (w *world) password() string { return string(w.secret()[secrets.PostgresPassword]) }
