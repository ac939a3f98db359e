package deploy

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/secrets"
)

// withCertificate is a cluster whose namespace has a Secret with a certificate for todo.example and todo.localhost.
func withCertificate(t *testing.T, name string) (*fake.Clientset, *x509.Certificate) {
	t.Helper()
	client := fake.NewClientset()
	require.NoError(t, secrets.EnsureCertificate(t.Context(), nil, client, &config.Config{Namespace: "todo", Host: "todo.example"}))
	made, err := client.CoreV1().Secrets("todo").Get(t.Context(), secrets.CertificateName, metav1.GetOptions{})
	require.NoError(t, err)
	if name != secrets.CertificateName {
		theirs := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "todo"}, Data: made.Data}
		client = fake.NewClientset(theirs)
	}
	pair, err := secrets.Certificate(t.Context(), client, "todo", name)
	require.NoError(t, err)
	return client, pair.Leaf
}

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func TestWhoVouchesForTheCertificateOfTheIngress(t *testing.T) {
	vouched := func(cfg config.Config, client *fake.Clientset, certificate *x509.Certificate) bool {
		pool, err := trusted(t.Context(), on(client, cfg))
		require.NoError(t, err)
		_, err = certificate.Verify(x509.VerifyOptions{Roots: pool, DNSName: "todo.example"})
		return err == nil
	}
	client, own := withCertificate(t, secrets.CertificateName)
	cfg := config.Config{TLS: config.TLSSelfSigned}
	assert.True(t, vouched(cfg, client, own))

	client, theirs := withCertificate(t, "theirs")
	cfg.TLS = "secret:theirs"
	assert.True(t, vouched(cfg, client, theirs))
	cfg.TLS = config.TLSOff
	assert.False(t, vouched(cfg, client, theirs), "what nobody named")

	_, company := withCertificate(t, "company")
	cfg.CABundle = filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(cfg.CABundle, pemOf(company), 0o644))
	assert.True(t, vouched(cfg, client, company))
	cfg.TLS = config.TLSSelfSigned
	client, own = withCertificate(t, secrets.CertificateName)
	assert.True(t, vouched(cfg, client, own))
	assert.False(t, vouched(cfg, client, company), "where deploy made the certificate, no other counts")

	cfg.TLS, cfg.CABundle = config.TLSOff, "/no/such/file"
	_, err := trusted(t.Context(), on(client, cfg))
	require.ErrorContains(t, err, "/no/such/file")
	assert.Equal(t, fault.CodeInput, fault.Code(err))
}

func TestACertificateOfOnesOwnIsLookedAtBeforeTheRelease(t *testing.T) {
	client, _ := withCertificate(t, "theirs")
	cfg := config.Config{TLS: "secret:theirs", Host: "todo.example"}
	require.NoError(t, certificate(t.Context(), nil, on(client, cfg)))

	cfg.Host = "other.example"
	err := certificate(t.Context(), nil, on(client, cfg))
	require.ErrorContains(t, err, "not for the application's host")
	assert.Contains(t, fault.Remedy(err), "TODO_HOST")

	cfg.TLS = "secret:missing"
	err = certificate(t.Context(), nil, on(client, cfg))
	require.EqualError(t, err, "namespace todo has no Secret missing")
	assert.Contains(t, fault.Remedy(err), "kubectl -n todo create secret tls missing")
}
