package secrets

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kubetest"
	"todo.local/magefiles/internal/ui"
)

func ensure(t *testing.T, client *fake.Clientset, cfg config.Config) (Outcome, map[string]string) {
	t.Helper()
	cfg.Namespace = "todo"
	out, err := Ensure(t.Context(), nil, client, &cfg)
	require.NoError(t, err)
	s, err := client.CoreV1().Secrets("todo").Get(t.Context(), Name, metav1.GetOptions{})
	require.NoError(t, err)
	data := map[string]string{}
	for k, v := range s.Data {
		data[k] = string(v)
	}
	return out, data
}

func TestFirstTimeGeneratesWhatIsMissing(t *testing.T) {
	client := kubetest.NewClientset()
	out, data := ensure(t, client, config.Config{})
	assert.True(t, out.Changed)
	assert.Equal(t, Name, out.Name)
	assert.Len(t, data[JWTSecret], 64)
	assert.Len(t, data[PostgresPassword], 64)
	assert.NotEqual(t, data[JWTSecret], data[PostgresPassword])
	assert.Equal(t, "postgresql://todo:"+data[PostgresPassword]+"@postgres-svc:5432/todo", data[DatabaseURL])
	assert.NotContains(t, data, OpenAIKey)

	ns, err := client.CoreV1().Namespaces().Get(t.Context(), "todo", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "restricted", ns.Labels["pod-security.kubernetes.io/enforce"])
}

func TestSecondTimeChangesNothing(t *testing.T) {
	client := kubetest.NewClientset()
	first, before := ensure(t, client, config.Config{})
	client.ClearActions()
	second, after := ensure(t, client, config.Config{})
	assert.False(t, second.Changed)
	assert.Equal(t, first.Checksum, second.Checksum)
	assert.Equal(t, before, after)
	for _, a := range client.Actions() {
		assert.Equal(t, "get", a.GetVerb())
	}
}

func TestConfigurationIsFollowedAndGeneratedValuesStay(t *testing.T) {
	client := kubetest.NewClientset()
	inside, before := ensure(t, client, config.Config{})

	given := config.Config{DatabaseURL: "postgresql://u:p@neon/db", OpenAIKey: "key", SMTPURL: "smtp://h?from=a@b", JWTSecret: strings.Repeat("j", 32)}
	outside, data := ensure(t, client, given)
	assert.True(t, outside.Changed)
	assert.NotEqual(t, inside.Checksum, outside.Checksum)
	assert.Equal(t, map[string]string{
		DatabaseURL: given.DatabaseURL, OpenAIKey: "key", SMTPURL: given.SMTPURL, JWTSecret: given.JWTSecret, PostgresPassword: before[PostgresPassword],
	}, data)

	_, data = ensure(t, client, config.Config{})
	assert.Equal(t, before[DatabaseURL], data[DatabaseURL], "the database in the cluster has its password back")
	assert.NotContains(t, data, OpenAIKey, "a key that is taken away is gone")
	assert.Equal(t, given.JWTSecret, data[JWTSecret], "sessions go on")
}

func TestADatabaseElsewhereNeedsNoPassword(t *testing.T) {
	_, data := ensure(t, kubetest.NewClientset(), config.Config{DatabaseURL: "postgresql://u:p@neon/db"})
	assert.NotContains(t, data, PostgresPassword)
}

func TestChecksumTellsNothingAndSeesEveryKey(t *testing.T) {
	base := map[string][]byte{JWTSecret: []byte("k"), DatabaseURL: []byte("u")}
	assert.NotContains(t, checksum(base), "k=")
	assert.Len(t, checksum(base), 32)
	seen := map[string]bool{checksum(base): true}
	for _, other := range []map[string][]byte{
		{JWTSecret: []byte("l"), DatabaseURL: []byte("u")},
		{JWTSecret: []byte("k"), DatabaseURL: []byte("v")},
		{JWTSecret: []byte("k"), DatabaseURL: []byte("u"), OpenAIKey: []byte("o")},
	} {
		assert.False(t, seen[checksum(other)])
		seen[checksum(other)] = true
	}
}

func TestASecretOfOthersIsLeftAlone(t *testing.T) {
	client := kubetest.NewClientset(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "todo", Name: Name}, Data: map[string][]byte{"x": []byte("theirs")}})
	_, err := Ensure(t.Context(), nil, client, &config.Config{Namespace: "todo"})
	require.Error(t, err)
	assert.Equal(t, "namespace todo has a Secret app-secrets that was made by other means", err.Error())
	assert.Equal(t, fault.CodeInput, fault.Code(err))
	assert.NotEmpty(t, fault.Remedy(err))
	s, err := client.CoreV1().Secrets("todo").Get(t.Context(), Name, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, map[string][]byte{"x": []byte("theirs")}, s.Data)
}

func TestARunThatWasFasterWins(t *testing.T) {
	client := kubetest.NewClientset()
	other := desired(&config.Config{}, nil)
	client.PrependReactor("create", "secrets", func(clienttest.Action) (bool, runtime.Object, error) {
		// Between our look and our write, the other run made it.
		_ = client.Tracker().Add(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "todo", Name: Name, Labels: map[string]string{managedBy: manager}}, Data: other})
		return true, nil, apierrors.NewAlreadyExists(schema.GroupResource{Resource: "secrets"}, Name)
	})
	_, data := ensure(t, client, config.Config{})
	assert.Equal(t, string(other[PostgresPassword]), data[PostgresPassword])
	assert.Equal(t, string(other[JWTSecret]), data[JWTSecret])
}

func TestAConflictThatNeverEndsIsReported(t *testing.T) {
	client := kubetest.NewClientset()
	ensure(t, client, config.Config{})
	client.PrependReactor("update", "secrets", func(clienttest.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewConflict(schema.GroupResource{Resource: "secrets"}, Name, errors.New("changed"))
	})
	_, err := Ensure(t.Context(), nil, client, &config.Config{Namespace: "todo", OpenAIKey: "k"})
	require.Error(t, err)
	assert.Equal(t, fault.CodeCluster, fault.Code(err))
}

func TestErrorsHaveARemedyAndNoValue(t *testing.T) {
	for name, cause := range map[string]error{
		"forbidden":   apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, Name, errors.New("no")),
		"terminating": &apierrors.StatusError{ErrStatus: metav1.Status{Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}}}},
		"other":       errors.New("connection refused"),
	} {
		t.Run(name, func(t *testing.T) {
			client := kubetest.NewClientset()
			client.PrependReactor("create", "secrets", func(clienttest.Action) (bool, runtime.Object, error) { return true, nil, cause })
			_, err := Ensure(t.Context(), nil, client, &config.Config{Namespace: "todo", JWTSecret: "do-not-show-this"})
			require.Error(t, err)
			assert.Equal(t, fault.CodeCluster, fault.Code(err))
			assert.NotEmpty(t, fault.Remedy(err))
			assert.NotContains(t, err.Error(), "do-not-show-this")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestAnInterruptedRunSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	client := kubetest.NewClientset()
	client.PrependReactor("*", "*", func(clienttest.Action) (bool, runtime.Object, error) { return true, nil, ctx.Err() })
	_, err := Ensure(ctx, nil, client, &config.Config{Namespace: "todo"})
	assert.Equal(t, fault.CodeInterrupted, fault.Code(err))
}

func TestNothingIsShown(t *testing.T) {
	var screen bytes.Buffer
	client := kubetest.NewClientset()
	var data map[string]string
	require.NoError(t, ui.Plain(&screen).Do("secrets", func(task *ui.Task) error {
		_, err := Ensure(t.Context(), task, client, &config.Config{Namespace: "todo", OpenAIKey: "given-key"})
		return err
	}))
	_, data = ensure(t, client, config.Config{OpenAIKey: "given-key"})
	for _, v := range data {
		assert.NotContains(t, screen.String(), v)
	}
}

func TestRestorePutsBackWhatAChangeReplaced(t *testing.T) {
	client := kubetest.NewClientset()
	_, before := ensure(t, client, config.Config{})
	out, changed := ensure(t, client, config.Config{DatabaseURL: "postgresql://u:p@elsewhere/db"})
	require.NotEqual(t, before, changed)
	require.NoError(t, out.Restore(t.Context(), client, &config.Config{Namespace: "todo"}))
	same, after := ensure(t, client, config.Config{})
	assert.Equal(t, before, after)
	assert.False(t, same.Changed)
}

func TestNewDatabase(t *testing.T) {
	client := kubetest.NewClientset()
	cfg := config.Config{Namespace: "todo", DatabaseURL: "postgresql://u:p@elsewhere/db"}
	for _, wanted := range []bool{true, false} {
		fresh, err := NewDatabase(t.Context(), client, &cfg)
		require.NoError(t, err)
		assert.Equal(t, wanted, fresh)
		ensure(t, client, cfg)
	}
	fresh, err := NewDatabase(t.Context(), client, &config.Config{Namespace: "todo"})
	require.NoError(t, err)
	assert.False(t, fresh, "the cluster's own database is the chart's business")
}
