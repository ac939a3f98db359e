package deploy

import (
	"context"
	"crypto/x509"
	"os"

	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/smoke"
	"todo.local/magefiles/internal/ui"
)

// tlsSecret is the Secret whose certificate the ingress presents, or nothing where that is whatever the ingress
// controller has.
func (a *App) tlsSecret() string {
	if a.cfg.TLS == config.TLSSelfSigned {
		return secrets.CertificateName
	}
	return a.cfg.TLSSecret()
}

// certificate makes the certificate that the ingress is to present, or sees that the one of a person's own is there.
func (a *App) certificate(ctx context.Context, t *ui.Task, client kubernetes.Interface) error {
	if a.tlsSecret() == "" {
		return nil
	}
	return t.Do("certificate", func(t *ui.Task) error {
		if a.cfg.TLS == config.TLSSelfSigned {
			return secrets.EnsureCertificate(ctx, t, client, a.cfg)
		}
		c, err := secrets.Certificate(ctx, client, a.cfg.Namespace, a.tlsSecret())
		if err != nil {
			return err
		}
		if err := c.Leaf.VerifyHostname(a.cfg.Host); err != nil {
			return fault.Wrap(err, fault.CodeInput, "the certificate in Secret "+a.tlsSecret()+" is not for the application's host",
				"set TODO_HOST to a name that it is for, or name another Secret in TODO_TLS")
		}
		t.Unchanged("Secret %s, good until %s", a.tlsSecret(), c.Leaf.NotAfter.Format("2006-01-02"))
		return nil
	})
}

// trusted are those who may vouch for the application's certificate: itself where deploy made it; else the system's
// authorities, those of TODO_CA_BUNDLE, and what the Secret has.
func (a *App) trusted(ctx context.Context, client kubernetes.Interface) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if a.cfg.TLS != config.TLSSelfSigned {
		if system, err := x509.SystemCertPool(); err == nil {
			pool = system
		}
		if path := a.cfg.CABundle; path != "" {
			raw, err := os.ReadFile(path)
			if err != nil || !pool.AppendCertsFromPEM(raw) {
				return nil, fault.New(fault.CodeInput, path+" holds no certificate that can be read", "set TODO_CA_BUNDLE to a PEM file of certificates")
			}
		}
	}
	if name := a.tlsSecret(); name != "" {
		c, err := secrets.Certificate(ctx, client, a.cfg.Namespace, name)
		if err != nil {
			return nil, err
		}
		pool.AddCert(c.Leaf)
		pool.AppendCertsFromPEM(c.Authority)
	}
	return pool, nil
}

// smoke checks the application over HTTP, or HTTPS where the ingress leads there, and where the certificate is of this
// project's choice over HTTPS in any case.
func (a *App) smoke(ctx context.Context, t *ui.Task, client kubernetes.Interface, access cluster.Access, check func(context.Context, *ui.Task, smoke.Target) error) error {
	trusted, err := a.trusted(ctx, client)
	if err != nil {
		return err
	}
	target := smoke.Target{Addr: access.HTTP, SecureAddr: access.HTTPS, Host: a.cfg.Host, Trusted: trusted}
	if err := t.Do("smoke test", func(t *ui.Task) error { return check(ctx, t, target) }); err != nil || a.tlsSecret() == "" {
		return err
	}
	return t.Do("smoke test over HTTPS", func(t *ui.Task) error {
		if access.HTTPS == "" {
			return fault.New(fault.CodeInput, "it is not known where the ingress answers HTTPS", "name the port of 127.0.0.1 that leads to it with TODO_HTTPS_PORT")
		}
		target.Addr = ""
		return check(ctx, t, target)
	})
}
