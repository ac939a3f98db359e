// Package identity lends the accounts that the chart makes for assistants. A loan is a token of ten minutes, in a
// kubeconfig that only this user can read and that goes when the work is done; whatever a model talks a program into,
// the API server holds it to what the account may do.
package identity

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	authv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"todo.local/magefiles/internal/fault"
)

// The accounts, which the chart's aiAccess makes.
const (
	View    = "ai-view"    // looks at everything but Secrets
	Operate = "ai-operate" // also scales and restarts backend and frontend
)

// lifetime of a token in seconds; the API server gives none shorter.
const lifetime = 600

// ErrNone is what Token fails with where the cluster has no such account.
var ErrNone = errors.New("the installed version has no accounts for assistants")

// Token asks for a token of an account and gives a connection that has it and nothing else of the person's.
func Token(ctx context.Context, client kubernetes.Interface, own *rest.Config, namespace, account string) (*rest.Config, error) {
	seconds := int64(lifetime)
	request := &authv1.TokenRequest{Spec: authv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	got, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, account, request, metav1.CreateOptions{})
	if apierrors.IsNotFound(err) {
		return nil, fault.Wrap(ErrNone, fault.CodeCluster, "nothing can be done as "+account,
			"run: go tool mage deploy; in a cluster of your own kubeconfig, install the chart with aiAccess.enabled")
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.CodeCluster, "there is no token of "+account, "ask for the right to create serviceaccounts/token in the namespace")
	}
	lent := rest.AnonymousClientConfig(own)
	lent.BearerToken = got.Status.Token
	lent.QPS, lent.Burst = own.QPS, own.Burst
	return lent, nil
}

// Kubeconfig writes a connection into a file in dir that only this user can read.
func Kubeconfig(cfg *rest.Config, namespace, dir string) (path string, err error) {
	authority := cfg.CAData
	if len(authority) == 0 && cfg.CAFile != "" {
		if authority, err = os.ReadFile(cfg.CAFile); err != nil {
			return "", err
		}
	}
	const only = "ai"
	raw, err := clientcmd.Write(api.Config{
		Clusters: map[string]*api.Cluster{only: {
			Server: cfg.Host, CertificateAuthorityData: authority, InsecureSkipTLSVerify: cfg.Insecure, TLSServerName: cfg.ServerName,
		}},
		AuthInfos:      map[string]*api.AuthInfo{only: {Token: cfg.BearerToken}},
		Contexts:       map[string]*api.Context{only: {Cluster: only, AuthInfo: only, Namespace: namespace}},
		CurrentContext: only,
	})
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "kubeconfig")
	return path, os.WriteFile(path, raw, 0o600)
}
