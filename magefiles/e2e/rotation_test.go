//go:build e2e

package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/secrets"
)

// rotationOfBroken rotates the secrets together with a version that does not come up: that is taken back, and the
// version before goes on with the new secrets, as the database knows no others any more.
func rotationOfBroken(t *testing.T, project checkout, alice *user) {
	d := running(t)
	read := func() map[string][]byte {
		s, err := d.client.CoreV1().Secrets(d.cfg.Namespace).Get(t.Context(), secrets.Name, metav1.GetOptions{})
		require.NoError(t, err)
		return s.Data
	}
	before, image := read(), d.image(t, "todo-backend")
	broken := copyOf(t, project)
	appendTo(t, broken, "backend/src/main.py", "\nraise SystemExit(\"a mistake in this version\")\n")
	r := broken.mage(t, nil, "secrets:rotate")
	assert.Equal(t, fault.CodeRollout, r.code)
	assert.Regexp(t, `the last version that passed its checks, revision \d+, is restored and serving`, r.output)
	assert.Equal(t, image, d.image(t, "todo-backend"))
	after := read()
	for _, key := range []string{secrets.JWTSecret, secrets.PostgresPassword, secrets.DatabaseURL} {
		assert.NotEqual(t, before[key], after[key], key)
		assert.NotContains(t, r.output, string(after[key]))
	}
	assert.Len(t, after, len(before), "nothing is left to do")

	d.login(t, alice)
	assert.Equal(t, []string{"written on the first day"}, alice.titles(t))
	require.Zero(t, project.mage(t, nil, "restart", "backend").code, "pods that begin now get in, too")

	require.Zero(t, project.mage(t, nil, "deploy").code)
	assert.Equal(t, after, read())
	d.login(t, alice)
	assert.Equal(t, []string{"written on the first day"}, alice.titles(t))
}
