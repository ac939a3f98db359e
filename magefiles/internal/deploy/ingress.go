package deploy

import (
	"context"
	"crypto/x509"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/rollout"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/smoke"
	"todo.local/magefiles/internal/ui"
)

// ingressPatience is how long a foreign cluster's ingress controller may take to give the application an address; a
// cloud makes a load balancer.
const ingressPatience = 3 * time.Minute

// awaitIngress waits until the ingress can answer, and gives the access with its address.
func awaitIngress(ctx context.Context, t *ui.Task, c session.Cluster) (cluster.Access, error) {
	access := c.Access
	err := t.Do("ingress", func(t *ui.Task) error {
		if c.Provider.Addons() {
			return rollout.Wait(ctx, t, c.Client, addonNamespace, "ingress", c.Config.Timeout)
		}
		t.Unchanged("%s", access.HTTP)
		if access.HTTP != "" {
			return nil
		}
		t.Status("waiting for its address")
		err := wait.PollUntilContextTimeout(ctx, time.Second, ingressPatience, true, func(ctx context.Context) (done bool, err error) {
			access, err = c.Provider.Access(ctx)
			return access.HTTP != "", err
		})
		if wait.Interrupted(err) && ctx.Err() == nil {
			return fault.New(fault.CodeRollout, "the ingress controller of "+c.Provider.Name()+" gave the application no address within "+ingressPatience.String(),
				"see: go tool mage status; where a port of this machine leads to it, name that with TODO_HTTP_PORT")
		}
		t.Unchanged("%s", access.HTTP)
		return err
	})
	return access, err
}

// certificate makes the certificate that the ingress is to present, or sees that the one of a person's own is there.
func certificate(ctx context.Context, t *ui.Task, c session.Cluster) error {
	name := secrets.ForIngress(c.Config)
	if name == "" {
		return nil
	}
	return t.Do("certificate", func(t *ui.Task) error {
		if c.Config.TLS == config.TLSSelfSigned {
			return secrets.EnsureCertificate(ctx, t, c.Client, c.Config)
		}
		pair, err := secrets.Certificate(ctx, c.Client, c.Config.Namespace, name)
		if err != nil {
			return err
		}
		if err := pair.Leaf.VerifyHostname(c.Config.Host); err != nil {
			return fault.Wrap(err, fault.CodeInput, "the certificate in Secret "+name+" is not for the application's host",
				"set TODO_HOST to a name that it is for, or name another Secret in TODO_TLS")
		}
		t.Unchanged("Secret %s, good until %s", name, pair.Leaf.NotAfter.Format("2006-01-02"))
		return nil
	})
}

// trusted are those who may vouch for the application's certificate: itself where deploy made it; else the system's
// authorities, those of TODO_CA_BUNDLE, and what the Secret has.
func trusted(ctx context.Context, c session.Cluster) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if c.Config.TLS != config.TLSSelfSigned {
		if system, err := x509.SystemCertPool(); err == nil {
			pool = system
		}
		if path := c.Config.CABundle; path != "" {
			raw, err := os.ReadFile(path)
			if err != nil || !pool.AppendCertsFromPEM(raw) {
				return nil, fault.New(fault.CodeInput, path+" holds no certificate that can be read", "set TODO_CA_BUNDLE to a PEM file of certificates")
			}
		}
	}
	if name := secrets.ForIngress(c.Config); name != "" {
		pair, err := secrets.Certificate(ctx, c.Client, c.Config.Namespace, name)
		if err != nil {
			return nil, err
		}
		pool.AddCert(pair.Leaf)
		pool.AppendCertsFromPEM(pair.Authority)
	}
	return pool, nil
}

// throughIngress checks the application over HTTP, or HTTPS where the ingress leads there, and where the certificate is
// of this project's choice over HTTPS in any case.
func throughIngress(ctx context.Context, t *ui.Task, c session.Cluster, check func(context.Context, *ui.Task, smoke.Target) error) error {
	authorities, err := trusted(ctx, c)
	if err != nil {
		return err
	}
	target := smoke.Target{Addr: c.Access.HTTP, SecureAddr: c.Access.HTTPS, Host: c.Config.Host, Trusted: authorities}
	if err := t.Do("smoke test", func(t *ui.Task) error { return check(ctx, t, target) }); err != nil || secrets.ForIngress(c.Config) == "" {
		return err
	}
	return t.Do("smoke test over HTTPS", func(t *ui.Task) error {
		if c.Access.HTTPS == "" {
			return fault.New(fault.CodeInput, "it is not known where the ingress answers HTTPS", "name the port of 127.0.0.1 that leads to it with TODO_HTTPS_PORT")
		}
		target.Addr = ""
		return check(ctx, t, target)
	})
}

// Smoke uses the deployed application as a user would.
func Smoke(ctx context.Context, s session.Session) error {
	return onCluster(ctx, s, func(t *ui.Task, e session.Engine, p cluster.Provider) error {
		c, err := e.Connect(ctx, p)
		if err != nil {
			return err
		}
		return throughIngress(ctx, t, c, smoke.Run)
	})
}
