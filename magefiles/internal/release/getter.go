package release

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"

	"todo.local/magefiles/internal/kube"
)

// getter gives Helm its connections. Unlike the command line's, it keeps what it discovers in memory: a cache on disk
// outlives a cluster that is made anew on the same port.
type getter struct {
	api       kube.API
	namespace string
	once      sync.Once
	cached    discovery.CachedDiscoveryInterface
	mapper    meta.RESTMapper
	err       error
}

// ToRawKubeConfigLoader gives the kubeconfig.
func (g *getter) ToRawKubeConfigLoader() clientcmd.ClientConfig { return g.api.Loader(g.namespace) }

// ToRESTConfig gives a connection whose requests are bounded, as Helm's carry no context.
func (g *getter) ToRESTConfig() (*rest.Config, error) {
	cfg, err := g.api.RESTConfig()
	if err != nil {
		return nil, err
	}
	cfg.Timeout = 30 * time.Second
	cfg.WarningHandler = rest.NoWarnings{}
	return cfg, nil
}

// ToDiscoveryClient gives what the API server serves, asked once.
func (g *getter) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	g.once.Do(func() {
		cfg, err := g.ToRESTConfig()
		if err != nil {
			g.err = err
			return
		}
		client, err := discovery.NewDiscoveryClientForConfig(cfg)
		if err != nil {
			g.err = err
			return
		}
		g.cached = memory.NewMemCacheClient(client)
		g.mapper = restmapper.NewDeferredDiscoveryRESTMapper(g.cached)
	})
	return g.cached, g.err
}

// ToRESTMapper maps kinds to the API server's resources.
func (g *getter) ToRESTMapper() (meta.RESTMapper, error) {
	_, err := g.ToDiscoveryClient()
	return g.mapper, err
}
