package secrets

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
)

func TestRotationLastsUntilTheDatabaseKnows(t *testing.T) {
	client := fake.NewClientset()
	cfg := &config.Config{Namespace: "todo"}
	data := func() map[string][]byte {
		s, err := client.CoreV1().Secrets("todo").Get(t.Context(), Name, metav1.GetOptions{})
		require.NoError(t, err)
		return s.Data
	}
	require.ErrorContains(t, Rotate(t.Context(), nil, client, cfg), "no secrets to rotate")

	first, err := Ensure(t.Context(), nil, client, cfg)
	require.NoError(t, err)
	before := data()
	_, pending, err := PasswordPending(t.Context(), client, "todo")
	require.NoError(t, err)
	assert.False(t, pending)

	require.NoError(t, Rotate(t.Context(), nil, client, cfg))
	verifier, pending, err := PasswordPending(t.Context(), client, "todo")
	require.NoError(t, err)
	assert.True(t, pending)
	assert.NotContains(t, verifier, string(data()[PostgresPassword]))

	second, err := Ensure(t.Context(), nil, client, cfg)
	require.NoError(t, err)
	after := data()
	for _, key := range []string{JWTSecret, PostgresPassword, DatabaseURL} {
		assert.NotEqual(t, before[key], after[key], key)
	}
	assert.Contains(t, string(after[DatabaseURL]), string(after[PostgresPassword]))
	assert.NotEqual(t, first.Checksum, second.Checksum, "what uses them is restarted")
	_, pending, err = PasswordPending(t.Context(), client, "todo")
	require.NoError(t, err)
	assert.True(t, pending, "another run in between does not forget it")

	require.NoError(t, PasswordSet(t.Context(), client, "todo"))
	_, pending, err = PasswordPending(t.Context(), client, "todo")
	require.NoError(t, err)
	assert.False(t, pending)
}

func TestRotationLeavesWhatIsConfigured(t *testing.T) {
	client := fake.NewClientset()
	cfg := &config.Config{Namespace: "todo", DatabaseURL: "postgresql://u:p@host/db", JWTSecret: "0123456789abcdef0123456789abcdef"}
	_, err := Ensure(t.Context(), nil, client, cfg)
	require.NoError(t, err)
	require.NoError(t, Rotate(t.Context(), nil, client, cfg))
	s, err := client.CoreV1().Secrets("todo").Get(t.Context(), Name, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, cfg.DatabaseURL, string(s.Data[DatabaseURL]))
	assert.Equal(t, cfg.JWTSecret, string(s.Data[JWTSecret]))
	assert.Empty(t, s.Annotations[pendingPassword])
}

func TestRotationLeavesOthersSecretsAlone(t *testing.T) {
	client := fake.NewClientset()
	_, err := Ensure(t.Context(), nil, client, &config.Config{Namespace: "todo"})
	require.NoError(t, err)
	api := client.CoreV1().Secrets("todo")
	s, err := api.Get(t.Context(), Name, metav1.GetOptions{})
	require.NoError(t, err)
	s.Labels = nil
	_, err = api.Update(t.Context(), s, metav1.UpdateOptions{})
	require.NoError(t, err)
	err = Rotate(t.Context(), nil, client, &config.Config{Namespace: "todo"})
	assert.Equal(t, fault.CodeInput, fault.Code(err))
}

// The example of RFC 7677, section 3.
func TestVerifierIsThatOfTheStandard(t *testing.T) {
	salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	require.NoError(t, err)
	got, err := scramVerifier("pencil", salt)
	require.NoError(t, err)
	assert.Equal(t, "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", got)
}
