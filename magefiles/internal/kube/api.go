// Package kube reaches a cluster's API server, and does with it what kubectl does.
package kube

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"todo.local/magefiles/internal/fault"
)

// API is an API server, named as kubeconfig files do.
type API struct {
	Kubeconfig string // path of the file
	Context    string // the context in it
}

// Client connects to the cluster's API server.
func (a API) Client() (kubernetes.Interface, error) {
	cfg, err := a.RESTConfig()
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(cfg)
}

// Loader reads the kubeconfig. A namespace stands for that of the context.
func (a API) Loader(namespace string) clientcmd.ClientConfig {
	overrides := &clientcmd.ConfigOverrides{CurrentContext: a.Context}
	overrides.Context.Namespace = namespace
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(&clientcmd.ClientConfigLoadingRules{ExplicitPath: a.Kubeconfig}, overrides)
}

// RESTConfig is the connection to the API server. client-go's default of 5 requests a second would be the slowest part
// of a deploy.
func (a API) RESTConfig() (*rest.Config, error) {
	cfg, err := a.Loader("").ClientConfig()
	if err != nil {
		return nil, fault.Wrap(err, fault.CodeCluster, "the kubeconfig "+a.Kubeconfig+" cannot be used", "run: go tool mage cluster:up")
	}
	cfg.QPS, cfg.Burst = 100, 200
	return cfg, nil
}

// Ready asks the API server whether it is.
func (a API) Ready(ctx context.Context) error {
	cfg, err := a.RESTConfig()
	if err != nil {
		return err
	}
	cfg.Timeout = 5 * time.Second
	transport, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, cfg.Host+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := transport.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the API server answers /readyz with %s", res.Status)
	}
	return nil
}

// WaitReady waits until the API server is ready, at most as long as told.
func (a API) WaitReady(ctx context.Context, most time.Duration) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 250*time.Millisecond, most, true, func(ctx context.Context) (bool, error) {
		last = a.Ready(ctx)
		return last == nil, nil
	})
	if err != nil && ctx.Err() == nil {
		return last
	}
	return err
}
