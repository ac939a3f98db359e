package identity

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	clienttest "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/clientcmd"

	"todo.local/magefiles/internal/fault"
)

func TestALoanHasATokenOfTenMinutesAndNothingOfThePersons(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("create", "serviceaccounts", func(a clienttest.Action) (bool, runtime.Object, error) {
		create := a.(clienttest.CreateActionImpl)
		assert.Equal(t, "token", create.GetSubresource())
		request := create.GetObject().(*authv1.TokenRequest)
		assert.EqualValues(t, 600, *request.Spec.ExpirationSeconds)
		return true, &authv1.TokenRequest{Status: authv1.TokenRequestStatus{Token: "lent"}}, nil
	})
	own := &rest.Config{Host: "https://127.0.0.1:6443", Username: "admin", Password: "p", BearerToken: "own", QPS: 100, Burst: 200,
		TLSClientConfig: rest.TLSClientConfig{CAData: []byte("ca"), CertData: []byte("cert"), KeyData: []byte("key")}}
	lent, err := Token(t.Context(), client, own, "todo", View)
	require.NoError(t, err)
	path, err := Kubeconfig(lent, "todo", t.TempDir())
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(&clientcmd.ClientConfigLoadingRules{ExplicitPath: path}, nil)
	read, err := loader.ClientConfig()
	require.NoError(t, err)
	assert.Equal(t, "lent", read.BearerToken)
	assert.Equal(t, own.Host, read.Host)
	assert.Equal(t, []byte("ca"), read.CAData)
	assert.Empty(t, read.CertData)
	assert.Empty(t, read.Username)
	namespace, _, err := loader.Namespace()
	require.NoError(t, err)
	assert.Equal(t, "todo", namespace)
}

func TestAClusterWithoutTheAccounts(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("create", "serviceaccounts", func(clienttest.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewNotFound(schema.GroupResource{Resource: "serviceaccounts"}, View)
	})
	_, err := Token(t.Context(), client, &rest.Config{}, "todo", View)
	require.ErrorIs(t, err, ErrNone)
	assert.Contains(t, fault.Remedy(err), "go tool mage deploy")
}
