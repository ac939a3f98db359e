//go:build e2e

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/fault"
)

// ingressOfItsOwn is a foreign cluster whose ingress has another class and leads HTTP to HTTPS, with a certificate of
// an authority that only the company knows. Others look at the deployment while it is made.
func ingressOfItsOwn(t *testing.T, project checkout, foreign []string) {
	d := running(t)
	classes := d.client.NetworkingV1().IngressClasses()
	edge := &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: "edge"}, Spec: networkingv1.IngressClassSpec{Controller: "k8s.io/ingress-nginx"}}
	_, err := classes.Create(t.Context(), edge, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = classes.Delete(context.WithoutCancel(t.Context()), edge.Name, metav1.DeleteOptions{}) })
	authority, pair := company(t, d.cfg.Host)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "company"}, Type: corev1.SecretTypeTLS, Data: pair}
	_, err = d.client.CoreV1().Secrets(d.cfg.Namespace).Create(t.Context(), secret, metav1.CreateOptions{})
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(d.access.HTTPS)
	require.NoError(t, err)
	foreign = append(slices.Clip(foreign), "TODO_HTTPS_PORT="+port)
	trusting := append(slices.Clip(foreign), "TODO_CA_BUNDLE="+authority)
	settings := append(slices.Clip(trusting), "TODO_INGRESS_CLASS=edge", "TODO_TLS=secret:company")

	done, looks := make(chan struct{}), make(chan result)
	for range 3 {
		go func() {
			last := result{}
			for last.code == 0 {
				select {
				case <-done:
					looks <- last
					return
				default:
					last = project.mage(t, foreign, "status")
				}
			}
			looks <- last
		}()
	}
	r := project.mage(t, settings, "deploy")
	close(done)
	for range 3 {
		assert.Zero(t, (<-looks).code, "whoever looks is not disturbed by a deploy, nor by another who looks")
	}
	require.Zero(t, r.code)
	found, err := d.client.NetworkingV1().Ingresses(d.cfg.Namespace).Get(t.Context(), "todo-app", metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, "edge", *found.Spec.IngressClassName)
	res, err := get(t.Context(), d.browser(), "http://"+d.cfg.Host+"/")
	require.NoError(t, err)
	require.Equal(t, http.StatusPermanentRedirect, res.StatusCode, "the ingress leads to HTTPS")

	// As where the ingress's own certificate is at work, which the settings name nothing of.
	r = project.mage(t, foreign, "test:smoke")
	assert.Equal(t, fault.CodeSmoke, r.code)
	assert.Contains(t, r.output, "unknown authority")
	assert.Contains(t, r.output, "TODO_CA_BUNDLE")
	require.Zero(t, project.mage(t, trusting, "test:smoke").code)
}

// company makes an authority, as a PEM file, and a certificate for a host that it vouches for, as the data of a Secret.
func company(t *testing.T, host string) (authority string, pair map[string][]byte) {
	t.Helper()
	issue := func(c, by *x509.Certificate, byKey *ecdsa.PrivateKey) (certificate, key []byte, private *ecdsa.PrivateKey) {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		if by == nil {
			by, byKey = c, private
		}
		raw, err := x509.CreateCertificate(rand.Reader, c, by, private.Public(), byKey)
		require.NoError(t, err)
		rawKey, err := x509.MarshalPKCS8PrivateKey(private)
		require.NoError(t, err)
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: rawKey}), private
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "the company"}, IsCA: true, BasicConstraintsValid: true}
	caPEM, _, caKey := issue(ca, nil, nil)
	authority = filepath.Join(t.TempDir(), "company.pem")
	require.NoError(t, os.WriteFile(authority, caPEM, 0o644))
	leaf, key, _ := issue(&x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{host, "todo.localhost"}}, ca, caKey)
	return authority, map[string][]byte{corev1.TLSCertKey: leaf, corev1.TLSPrivateKeyKey: key}
}
