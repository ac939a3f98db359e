package secrets

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

func ensureCertificate(t *testing.T, client *fake.Clientset) *corev1.Secret {
	t.Helper()
	require.NoError(t, EnsureCertificate(t.Context(), nil, client, &config.Config{Namespace: "todo", Host: "todo.example"}))
	s, err := client.CoreV1().Secrets("todo").Get(t.Context(), CertificateName, metav1.GetOptions{})
	require.NoError(t, err)
	return s
}

func TestTheCertificateIsForTheHostsAndNoAuthority(t *testing.T) {
	client := fake.NewClientset()
	due, err := CertificateDue(t.Context(), client, &config.Config{Namespace: "todo", Host: "todo.example"})
	require.NoError(t, err)
	assert.True(t, due)
	s := ensureCertificate(t, client)
	assert.Equal(t, corev1.SecretTypeTLS, s.Type)
	assert.Equal(t, manager, s.Labels[managedBy])

	pair, err := Certificate(t.Context(), client, "todo", CertificateName)
	require.NoError(t, err)
	c := pair.Leaf
	assert.Equal(t, []string{"todo.example", "todo.localhost"}, c.DNSNames)
	assert.False(t, c.IsCA)
	assert.Equal(t, elliptic.P256(), c.PublicKey.(*ecdsa.PublicKey).Curve)
	assert.WithinDuration(t, time.Now().AddDate(1, 0, 0), c.NotAfter, 25*time.Hour)
	trusted := x509.NewCertPool()
	trusted.AddCert(c)
	for _, name := range c.DNSNames {
		_, err := c.Verify(x509.VerifyOptions{DNSName: name, Roots: trusted})
		require.NoError(t, err, "%s", name)
	}
}

func TestAGoodCertificateStays(t *testing.T) {
	client := fake.NewClientset()
	first := ensureCertificate(t, client)
	client.ClearActions()
	for host, want := range map[string]bool{"todo.example": false, "another.example": true} {
		due, err := CertificateDue(t.Context(), client, &config.Config{Namespace: "todo", Host: host})
		require.NoError(t, err)
		assert.Equal(t, want, due)
	}
	assert.Equal(t, first.Data, ensureCertificate(t, client).Data)
	for _, a := range client.Actions() {
		assert.Equal(t, "get", a.GetVerb())
	}
	assert.Equal(t, []string{"todo.localhost"}, (&config.Config{Host: "todo.localhost"}).Hosts(), "a name is in it once")
}

func TestACertificateThatServesNoMoreIsMadeAnew(t *testing.T) {
	names := []string{"todo.example", "todo.localhost"}
	aged := func(left time.Duration) map[string][]byte {
		data, err := selfSigned(names, time.Now().Add(left-certificateLife))
		require.NoError(t, err)
		return data
	}
	other, err := selfSigned([]string{"former.example", "todo.localhost"}, time.Now())
	require.NoError(t, err)
	mixed := aged(certificateLife)
	mixed[corev1.TLSPrivateKeyKey] = other[corev1.TLSPrivateKeyKey]
	day := 24 * time.Hour
	for name, k := range map[string]struct {
		data  map[string][]byte
		stays bool
	}{
		"31 days are left":               {aged(31 * day), true},
		"29 days are left":               {aged(29 * day), false},
		"it has run out":                 {aged(-day), false},
		"the host was another":           {other, false},
		"the key belongs to another one": {mixed, false},
		"it is none":                     {map[string][]byte{corev1.TLSCertKey: []byte("x"), corev1.TLSPrivateKeyKey: []byte("y")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := meta(CertificateName)
			m.Namespace = "todo"
			client := fake.NewClientset(&corev1.Secret{ObjectMeta: m, Type: corev1.SecretTypeTLS, Data: k.data})
			s := ensureCertificate(t, client)
			assert.Equal(t, k.stays, bytes.Equal(k.data[corev1.TLSCertKey], s.Data[corev1.TLSCertKey]))
			c, err := parsePair(s)
			require.NoError(t, err)
			assert.Equal(t, names, c.DNSNames)
		})
	}
}

func TestACertificateOfOthersIsLeftAlone(t *testing.T) {
	client := fake.NewClientset(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "todo", Name: CertificateName}, Data: map[string][]byte{"x": []byte("theirs")}})
	err := EnsureCertificate(t.Context(), nil, client, &config.Config{Namespace: "todo", Host: "todo.example"})
	require.EqualError(t, err, "namespace todo has a Secret todo-tls that was made by other means")
	assert.Equal(t, fault.CodeInput, fault.Code(err))
	s, err := client.CoreV1().Secrets("todo").Get(t.Context(), CertificateName, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, map[string][]byte{"x": []byte("theirs")}, s.Data)
}

func TestAMissingOrBrokenCertificateIsNamed(t *testing.T) {
	broken := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "todo", Name: CertificateName}, Data: map[string][]byte{corev1.TLSPrivateKeyKey: []byte("hush")}}
	for want, client := range map[string]*fake.Clientset{
		"namespace todo has no Secret todo-tls":                               fake.NewClientset(),
		"Secret todo-tls in namespace todo holds no certificate with its key": fake.NewClientset(broken),
	} {
		_, err := Certificate(t.Context(), client, "todo", CertificateName)
		require.EqualError(t, err, want)
		assert.NotEmpty(t, fault.Remedy(err))
	}
}

func TestTheKeyIsNotShown(t *testing.T) {
	var screen bytes.Buffer
	client := fake.NewClientset()
	require.NoError(t, ui.Plain(&screen).Do("certificate", func(task *ui.Task) error {
		return EnsureCertificate(t.Context(), task, client, &config.Config{Namespace: "todo", Host: "todo.example"})
	}))
	assert.Contains(t, screen.String(), "good until "+time.Now().Add(certificateLife).Format("2006-01"))
	assert.NotContains(t, screen.String(), "KEY")
}
