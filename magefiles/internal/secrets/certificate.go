package secrets

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	clientv1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/ui"
)

// CertificateName is the name of the Secret with the ingress's certificate and its key.
const CertificateName = "todo-tls"

// ForIngress is the Secret whose certificate the ingress presents, or nothing where that is whatever the ingress
// controller has.
func ForIngress(cfg *config.Config) string {
	if cfg.TLS == config.TLSSelfSigned {
		return CertificateName
	}
	return cfg.TLSSecret()
}

const (
	certificateLife   = 365 * 24 * time.Hour
	certificateMargin = 30 * 24 * time.Hour // left when it is made anew
)

// EnsureCertificate keeps a self-signed certificate for the application's host names in the namespace, which has to be
// there. It is made anew before it runs out and when the names change.
func EnsureCertificate(ctx context.Context, t *ui.Task, client kubernetes.Interface, cfg *config.Config) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	now := time.Now()
	var until time.Time
	var changed bool
	err := contended(CertificateName, func() (err error) {
		until, changed, err = writeCertificate(ctx, client.CoreV1().Secrets(cfg.Namespace), cfg.Hosts(), now)
		return err
	})
	if err != nil {
		return err
	}
	if changed {
		t.Result("%s written, good until %s", CertificateName, until.Format(time.DateOnly))
	} else {
		t.Unchanged("%s, good until %s", CertificateName, until.Format(time.DateOnly))
	}
	return nil
}

// CertificateDue tells whether EnsureCertificate would make a certificate or make it anew.
func CertificateDue(ctx context.Context, client kubernetes.Interface, cfg *config.Config) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	found, err := client.CoreV1().Secrets(cfg.Namespace).Get(ctx, CertificateName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, explain(err)
	}
	_, good := goodUntil(found, cfg.Hosts(), time.Now())
	return !good, nil
}

// goodUntil tells how long a Secret's certificate is good, where that is long enough and it is for these names.
func goodUntil(s *corev1.Secret, names []string, now time.Time) (time.Time, bool) {
	c, err := parsePair(s)
	if err != nil || !slices.Equal(c.DNSNames, names) || c.NotAfter.Sub(now) <= certificateMargin {
		return time.Time{}, false
	}
	return c.NotAfter, true
}

// writeCertificate makes or renews the Secret where that is due, and tells how long its certificate is good. It fails
// where another run was faster.
func writeCertificate(ctx context.Context, api clientv1.SecretInterface, names []string, now time.Time) (until time.Time, changed bool, err error) {
	found, err := api.Get(ctx, CertificateName, metav1.GetOptions{})
	missing := apierrors.IsNotFound(err)
	if err != nil && !missing {
		return time.Time{}, false, err
	}
	if !missing {
		if err := ours(found); err != nil {
			return time.Time{}, false, err
		}
		if until, good := goodUntil(found, names, now); good {
			return until, false, nil
		}
	}
	data, err := selfSigned(names, now)
	if err != nil {
		return time.Time{}, false, err
	}
	if missing {
		_, err = api.Create(ctx, &corev1.Secret{ObjectMeta: meta(CertificateName), Type: corev1.SecretTypeTLS, Data: data}, metav1.CreateOptions{FieldManager: manager})
	} else {
		found.Data = data
		_, err = api.Update(ctx, found, metav1.UpdateOptions{FieldManager: manager})
	}
	return now.Add(certificateLife), true, err
}

// Pair is the certificate of a Secret.
type Pair struct {
	Leaf      *x509.Certificate
	Authority []byte // PEM of who vouches for it, where the Secret has that
}

// Certificate gives the one that a Secret holds, for an ingress to present.
func Certificate(ctx context.Context, client kubernetes.Interface, namespace, name string) (Pair, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	remedy := "run: go tool mage deploy"
	if name != CertificateName {
		remedy = fmt.Sprintf("make it: kubectl -n %s create secret tls %s --cert=FILE --key=FILE", namespace, name)
	}
	found, err := client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return Pair{}, fault.New(fault.CodeCluster, fmt.Sprintf("namespace %s has no Secret %s", namespace, name), remedy)
	}
	if err != nil {
		return Pair{}, explain(err)
	}
	c, err := parsePair(found)
	if err != nil {
		// The cause is not shown: it may quote what stands where the key should be.
		return Pair{}, fault.New(fault.CodeCluster, fmt.Sprintf("Secret %s in namespace %s holds no certificate with its key", name, namespace), remedy)
	}
	return Pair{c, found.Data[corev1.ServiceAccountRootCAKey]}, nil
}

// parsePair reads the certificate of a Secret, and checks that the key belongs to it.
func parsePair(s *corev1.Secret) (*x509.Certificate, error) {
	pair, err := tls.X509KeyPair(s.Data[corev1.TLSCertKey], s.Data[corev1.TLSPrivateKeyKey])
	return pair.Leaf, err
}

// selfSigned makes a key and a certificate of a server with these names, as the data of a Secret.
func selfSigned(names []string, now time.Time) (map[string][]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "todo, self-signed"},
		DNSNames:              names,
		NotBefore:             now.Add(-time.Hour), // clocks differ
		NotAfter:              now.Add(certificateLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, // and no authority: who trusts it trusts it for these names alone
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		corev1.TLSCertKey:       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		corev1.TLSPrivateKeyKey: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}, nil
}
