package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/image"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

// Existing is a cluster that somebody else runs, reached through a context of the user's kubeconfig. Nothing of it is
// started, stopped or deleted but the release in its namespace. Images go to it through a registry.
type Existing struct {
	ContextName string
	Kubeconfig  string // where the copy with this context alone is written
	Namespace   string // of the release
	Registry    *image.Registry
	Class       string // its IngressClass for the application; empty to find one
	Ingress     Ports  // ports on 127.0.0.1 that lead to its ingress; 0 where the address in the Ingress's status does
}

// Name gives "context NAME".
func (e *Existing) Name() string { return "context " + e.ContextName }

// Addons is false: the cluster has what its owner gave it.
func (e *Existing) Addons() bool { return false }

// Node is none: the cluster has its nodes.
func (e *Existing) Node(context.Context, *ui.Task, source.Source) (source.Node, error) {
	return source.Node{}, nil
}

// Foreign is true.
func (e *Existing) Foreign() bool { return true }

// State is Running, or the error that keeps the cluster from being reached.
func (e *Existing) State(ctx context.Context) (State, error) {
	if _, err := e.connect(ctx); err != nil {
		return "", err
	}
	return Running, nil
}

// Up checks that the cluster answers and could route to the application.
func (e *Existing) Up(ctx context.Context, t *ui.Task, _ source.Node, _ func()) (Access, error) {
	a, unrouted, err := e.look(ctx)
	if err != nil {
		return Access{}, err
	}
	if unrouted != nil {
		return Access{}, unrouted
	}
	t.Unchanged("%s answers", e.Name())
	return a, nil
}

// Access writes the copy of the kubeconfig anew, as the user's may have changed, and looks where the ingress is.
func (e *Existing) Access(ctx context.Context) (Access, error) {
	a, _, err := e.look(ctx)
	return a, err
}

// look connects, and finds the way to the application. What keeps the cluster from having one is of no concern to
// whoever only looks.
func (e *Existing) look(ctx context.Context) (_ Access, unrouted, err error) {
	a, err := e.connect(ctx)
	if err != nil {
		return Access{}, nil, err
	}
	client, err := a.Client()
	if err != nil {
		return Access{}, nil, err
	}
	host, installed, err := e.installed(ctx, client)
	if err != nil {
		return Access{}, nil, err
	}
	a.IngressClass, unrouted = e.class(ctx, client, installed)
	at := func(local int, usual string) string {
		switch {
		case local != 0:
			return net.JoinHostPort("127.0.0.1", strconv.Itoa(local))
		case host != "":
			return net.JoinHostPort(host, usual)
		}
		return ""
	}
	a.HTTP, a.HTTPS = at(e.Ingress.HTTP, "80"), at(e.Ingress.HTTPS, "443")
	return a, unrouted, nil
}

// connect copies the context with its cluster and user out of the user's kubeconfig, which is only read, and asks
// whether the API server answers.
func (e *Existing) connect(ctx context.Context) (Access, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.MigrationRules = nil // they would write to the user's folder
	all, err := rules.Load()
	if err != nil {
		return Access{}, fault.Wrap(err, fault.CodeInput, "the kubeconfig cannot be read", "correct what KUBECONFIG or ~/.kube/config holds")
	}
	all.CurrentContext = e.ContextName
	if err := clientcmdapi.MinifyConfig(all); err != nil {
		has := "no contexts"
		if len(all.Contexts) > 0 {
			has = strings.Join(slices.Sorted(maps.Keys(all.Contexts)), ", ")
		}
		return Access{}, fault.New(fault.CodeInput, fmt.Sprintf("the kubeconfig has no usable context %s (it has %s)", e.ContextName, has),
			"name one of them in TODO_CLUSTER, or point KUBECONFIG to the file that has it")
	}
	raw, err := clientcmd.Write(*all)
	if err != nil {
		return Access{}, err
	}
	if err := writeFile(e.Kubeconfig, raw); err != nil {
		return Access{}, err
	}
	a := Access{API: kube.API{Kubeconfig: e.Kubeconfig, Context: e.ContextName}}
	if err := a.WaitReady(ctx, 10*time.Second); err != nil {
		return Access{}, fault.Wrap(err, fault.CodeCluster, "the cluster of "+e.Name()+" does not answer", "see: kubectl --context "+e.ContextName+" get nodes")
	}
	return a, nil
}

// Load pushes the images to the registry, and gives the name by which the cluster pulls each.
func (e *Existing) Load(ctx context.Context, t *ui.Task, refs []string) (map[string]string, error) {
	return e.Registry.Push(ctx, t, refs)
}

// Prune leaves the nodes to their owner.
func (e *Existing) Prune(context.Context, []string) ([]string, error) { return nil, nil }

// Down leaves the cluster as it is.
func (e *Existing) Down(_ context.Context, t *ui.Task) error {
	t.Unchanged("%s is not this project's to stop", e.Name())
	return nil
}

// Delete refuses: neither the cluster nor, since it may be shared, the namespace is this project's.
func (e *Existing) Delete(context.Context, *ui.Task) error {
	return fault.New(fault.CodeInput, e.Name()+" is a cluster that this project did not make, and does not delete",
		fmt.Sprintf("go tool mage teardown uninstalls the application; its data goes with: kubectl --context %s delete namespace %s", e.ContextName, e.Namespace))
}

// writeFile writes a file for this user only, whole or not at all, with the folder that it is in. Several runs may do
// so at once.
func writeFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-") // readable for this user only
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // a name that is gone by then, if all went well
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
