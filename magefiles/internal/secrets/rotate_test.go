package secrets

import (
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kubetest"
)

var inside = config.Config{Namespace: "todo"}

func secretOf(t *testing.T, client *fake.Clientset) *corev1.Secret {
	t.Helper()
	s, err := client.CoreV1().Secrets("todo").Get(t.Context(), Name, metav1.GetOptions{})
	require.NoError(t, err)
	return s
}

func stateOf(t *testing.T, client *fake.Clientset) Rotation {
	t.Helper()
	r, err := State(t.Context(), client, "todo")
	require.NoError(t, err)
	return r
}

func TestWhatIsStagedIsInForceOnlyOncePromoted(t *testing.T) {
	client := kubetest.NewClientset()
	require.ErrorContains(t, Stage(t.Context(), nil, client, &inside), "there are no secrets in namespace todo yet")
	first, before := ensure(t, client, inside)
	assert.Zero(t, stateOf(t, client))

	require.NoError(t, Stage(t.Context(), nil, client, &inside))
	second, during := ensure(t, client, inside)
	assert.Equal(t, first.Checksum, second.Checksum, "no pod has to begin anew")
	for key, value := range before {
		assert.Equal(t, value, during[key], key)
	}
	next := during[nextPostgresPassword]
	assert.True(t, stateOf(t, client).Staged)
	assert.NotContains(t, stateOf(t, client).Verifier, next)

	require.NoError(t, Promote(t.Context(), client, "todo", true))
	third, after := ensure(t, client, inside)
	assert.NotEqual(t, first.Checksum, third.Checksum, "what uses them is restarted")
	assert.NotEqual(t, before[JWTSecret], after[JWTSecret])
	assert.Equal(t, next, after[PostgresPassword])
	assert.Equal(t, "postgresql://todo:"+next+"@postgres-svc:5432/todo", after[DatabaseURL])
	assert.Len(t, after, 3, "nothing stays staged")
	assert.Zero(t, stateOf(t, client))
	assert.False(t, third.PasswordPending)
}

func TestARotationThatIsBegunAgainGoesOn(t *testing.T) {
	client := kubetest.NewClientset()
	ensure(t, client, inside)
	require.NoError(t, Stage(t.Context(), nil, client, &inside))
	first := secretOf(t, client).Data
	require.NoError(t, Stage(t.Context(), nil, client, &inside))
	assert.Equal(t, first, secretOf(t, client).Data, "the database may know the password")
}

func TestADatabaseThatCouldNotBeToldIsNotForgotten(t *testing.T) {
	client := kubetest.NewClientset()
	ensure(t, client, inside)
	require.NoError(t, Stage(t.Context(), nil, client, &inside))
	next := string(secretOf(t, client).Data[nextPostgresPassword])
	require.NoError(t, Promote(t.Context(), client, "todo", false))
	out, data := ensure(t, client, inside)
	assert.True(t, out.PasswordPending)
	assert.Equal(t, next, data[PostgresPassword])
	assert.Contains(t, data[DatabaseURL], next)
	r := stateOf(t, client)
	assert.False(t, r.Staged)
	assert.NotEmpty(t, r.Verifier)
	preview, err := Preview(t.Context(), client, &inside)
	require.NoError(t, err)
	assert.True(t, preview.Changed)

	require.NoError(t, PasswordSet(t.Context(), client, "todo"))
	assert.Zero(t, stateOf(t, client))
	preview, err = Preview(t.Context(), client, &inside)
	require.NoError(t, err)
	assert.Equal(t, Outcome{Name: Name, Checksum: out.Checksum}, preview)
}

func TestPreviewSeesWhatIsStaged(t *testing.T) {
	client := kubetest.NewClientset()
	ensure(t, client, inside)
	require.NoError(t, Stage(t.Context(), nil, client, &inside))
	preview, err := Preview(t.Context(), client, &inside)
	require.NoError(t, err)
	assert.True(t, preview.Changed)
}

func TestRestoringASettingTakesNoRotationBack(t *testing.T) {
	client := kubetest.NewClientset()
	ensure(t, client, inside)
	require.NoError(t, Stage(t.Context(), nil, client, &inside))
	require.NoError(t, Promote(t.Context(), client, "todo", true))
	rotated := secretOf(t, client).Data
	cfg := inside
	cfg.OpenAIKey = "wrong"
	out, _ := ensure(t, client, cfg)
	require.NoError(t, out.Restore(t.Context(), client, &cfg))
	assert.Equal(t, rotated, secretOf(t, client).Data)
	inForce, err := InForce(t.Context(), client, "todo")
	require.NoError(t, err)
	assert.Equal(t, checksum(rotated), inForce)
}

func TestRotationLeavesWhatIsConfigured(t *testing.T) {
	client := kubetest.NewClientset()
	cfg := config.Config{Namespace: "todo", DatabaseURL: "postgresql://u:p@host/db", JWTSecret: "0123456789abcdef0123456789abcdef"}
	_, before := ensure(t, client, cfg)
	require.NoError(t, Stage(t.Context(), nil, client, &cfg))
	assert.Zero(t, stateOf(t, client))
	require.NoError(t, Promote(t.Context(), client, "todo", false))
	_, after := ensure(t, client, cfg)
	assert.Equal(t, before, after)
	assert.Empty(t, secretOf(t, client).Annotations[pendingPassword])
}

func TestADatabaseElsewhereKeepsItsURLWhenThePasswordHereIsPromoted(t *testing.T) {
	client := kubetest.NewClientset()
	ensure(t, client, inside)
	require.NoError(t, Stage(t.Context(), nil, client, &inside))
	cfg := inside
	cfg.DatabaseURL = "postgresql://u:p@host/db"
	ensure(t, client, cfg)
	require.NoError(t, Promote(t.Context(), client, "todo", false))
	assert.Equal(t, cfg.DatabaseURL, string(secretOf(t, client).Data[DatabaseURL]))
	_, data := ensure(t, client, inside)
	assert.Equal(t, "postgresql://todo:"+data[PostgresPassword]+"@postgres-svc:5432/todo", data[DatabaseURL])
}

func TestAChangeInBetweenIsNotOverwritten(t *testing.T) {
	client := kubetest.NewClientset()
	ensure(t, client, inside)
	once := true
	client.PrependReactor("update", "secrets", func(clienttest.Action) (bool, runtime.Object, error) {
		if once {
			once = false
			kind := corev1.SchemeGroupVersion.WithResource("secrets")
			found, err := client.Tracker().Get(kind, "todo", Name)
			require.NoError(t, err)
			s := found.(*corev1.Secret)
			s.Data[OpenAIKey] = []byte("theirs")
			s.ResourceVersion = "of theirs"
			require.NoError(t, client.Tracker().Update(kind, s, "todo"))
		}
		return false, nil, nil
	})
	require.NoError(t, Stage(t.Context(), nil, client, &inside))
	data := secretOf(t, client).Data
	assert.Equal(t, "theirs", string(data[OpenAIKey]))
	assert.NotEmpty(t, data[nextPostgresPassword])
}

func TestRotationLeavesOthersSecretsAlone(t *testing.T) {
	client := kubetest.NewClientset()
	ensure(t, client, inside)
	s := secretOf(t, client)
	s.Labels = nil
	_, err := client.CoreV1().Secrets("todo").Update(t.Context(), s, metav1.UpdateOptions{})
	require.NoError(t, err)
	err = Stage(t.Context(), nil, client, &inside)
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
