//go:build worlds

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// internet is what a machine sees of the world through a company's proxy: every host, with a certificate of the
// company's authority. Some hosts are answered for here; the others are asked.
type internet struct {
	URL    string // of the proxy
	Bundle string // PEM file of the authority alone

	hosts   map[string]http.Handler
	world   http.Handler
	tls     *tls.Config
	tunnels tunnels
	mu      sync.Mutex
	asked   []string
}

// newInternet starts the proxy on an address.
func newInternet(t *testing.T, addr string, hosts map[string]http.Handler) *internet {
	t.Helper()
	i := &internet{
		hosts: hosts, tunnels: tunnels{conns: make(chan net.Conn), closed: make(chan struct{})},
		world: &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) {
				r.Out.URL.Scheme, r.Out.URL.Host = r.In.URL.Scheme, r.In.Host
				if r.In.TLS != nil {
					r.Out.URL.Scheme = "https"
				}
			},
			FlushInterval: -1,
		},
	}
	i.tls = i.authority(t)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", addr)
	require.NoError(t, err)
	i.URL = "http://" + l.Addr().String()
	outer := &http.Server{Handler: http.HandlerFunc(i.serve), ReadHeaderTimeout: time.Minute}
	inner := &http.Server{Handler: http.HandlerFunc(i.answer), ReadHeaderTimeout: time.Minute}
	go func() { _ = outer.Serve(l) }()
	go func() { _ = inner.Serve(&i.tunnels) }()
	t.Cleanup(func() { _, _ = outer.Close(), inner.Close() })
	return i
}

// serve is what the proxy does of a request: it opens a tunnel, in whose end it sits itself, or answers.
func (i *internet) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		i.answer(w, r)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		_ = conn.Close()
		return
	}
	i.tunnels.open(tls.Server(conn, i.tls))
}

// answer lets whoever has a host's name answer, and notes that it was asked.
func (i *internet) answer(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	if name, port, err := net.SplitHostPort(host); err == nil && port == "443" {
		host = name
	}
	i.mu.Lock()
	if !slices.Contains(i.asked, host) {
		i.asked = append(i.asked, host)
	}
	i.mu.Unlock()
	if h, ok := i.hosts[host]; ok {
		h.ServeHTTP(w, r)
		return
	}
	i.world.ServeHTTP(w, r)
}

// Asked gives the hosts that somebody asked for.
func (i *internet) Asked() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.asked)
}

// authority makes the company's authority, and has it vouch for any host.
func (i *internet) authority(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Todo Test Company"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	raw, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	require.NoError(t, err)
	i.Bundle = filepath.Join(t.TempDir(), "company.pem")
	require.NoError(t, os.WriteFile(i.Bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), 0o644))

	var made sync.Map // certificates by host
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if cert, ok := made.Load(hello.ServerName); ok {
			return cert.(*tls.Certificate), nil
		}
		leaf := &x509.Certificate{
			SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: hello.ServerName}, DNSNames: []string{hello.ServerName},
			NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
		signed, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, key)
		if err != nil {
			return nil, err
		}
		cert := &tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}
		made.Store(hello.ServerName, cert)
		return cert, nil
	}}
}

// tunnels are what the proxy opened, for whoever answers at their ends.
type tunnels struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (o *tunnels) open(c net.Conn) {
	select {
	case o.conns <- c:
	case <-o.closed:
		_ = c.Close()
	}
}

// Accept gives the next tunnel.
func (o *tunnels) Accept() (net.Conn, error) {
	select {
	case c := <-o.conns:
		return c, nil
	case <-o.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the waiting for tunnels.
func (o *tunnels) Close() error {
	o.once.Do(func() { close(o.closed) })
	return nil
}

// Addr is nobody's.
func (o *tunnels) Addr() net.Addr { return &net.TCPAddr{} }

// TestWorldInternetThroughAProxy has the proxy show a host of its own, and refuses it whom it has not told of its
// authority.
func TestWorldInternetThroughAProxy(t *testing.T) {
	i := newInternet(t, "127.0.0.1:0", map[string]http.Handler{"registry.test": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "here")
	})})
	raw, err := os.ReadFile(i.Bundle)
	require.NoError(t, err)
	through, err := url.Parse(i.URL)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(raw))
	get := func(pool *x509.CertPool) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://registry.test/v2/", nil)
		require.NoError(t, err)
		client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(through), TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
		res, err := client.Do(req)
		if err != nil {
			return "", err
		}
		defer func() { _ = res.Body.Close() }()
		body, err := io.ReadAll(res.Body)
		return string(body), err
	}
	got, err := get(pool)
	require.NoError(t, err)
	require.Equal(t, "here", got)
	_, err = get(nil)
	require.ErrorContains(t, err, "certificate")
	require.Equal(t, []string{"registry.test"}, i.Asked())
}
