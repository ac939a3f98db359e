package cluster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

const (
	// markMount is where a folder of the host is mounted into every node that this project makes. It tells them from
	// other kind clusters from their first moment on, so that an interrupted creation can be cleared away without ever
	// touching somebody else's.
	markMount = "/etc/todo-deploy"
	// readyMark is written in two folders of the node once its creation is complete, one on its volume and one in its
	// own file system. It lives and dies with the node.
	readyMark, readyDir, layerDir = "todo-deploy-ready", "/var/lib/", "/kind/"
)

// Kind is a one-node kind cluster in the Docker engine.
type Kind struct {
	Docker      *engine.Docker
	ClusterName string
	Kubeconfig  string                                // where its kubeconfig is written
	Cache       string                                // the project's cache folder
	Quirks      func(context.Context) (Quirks, error) // what the host of the engine asks for
	Ports       func(context.Context) (Ports, error)  // picks the ports of a new cluster
	CABundle    string                                // PEM file that the node's containerd trusts too; none where empty
	Diagnoses   string                                // folder for the evidence of a node that does not come up, in a folder of its own
	// What is asked of kind's library; tests put fakes here.
	create     func(ctx context.Context, config *v1alpha4.Cluster, line func(string)) error
	kubeconfig func(context.Context) (string, error)
	remove     func(context.Context) error
	pulse      time.Duration

	containerd containerd
}

// Ports are the ports on 127.0.0.1 where a cluster's ingress answers.
type Ports struct{ HTTP, HTTPS int }

// NewKind is the kind cluster of the given name.
func NewKind(d *engine.Docker, name, kubeconfig, cache string, quirks func(context.Context) (Quirks, error), ports func(context.Context) (Ports, error)) *Kind {
	return &Kind{
		Docker: d, ClusterName: name, Kubeconfig: kubeconfig, Cache: cache, Quirks: quirks, Ports: ports,
		create: func(ctx context.Context, config *v1alpha4.Cluster, line func(string)) error {
			_, err := callLibrary(ctx, d, createLimit, libraryCall{Name: name, Create: config, Kubeconfig: kubeconfig}, line)
			return err
		},
		kubeconfig: func(ctx context.Context) (string, error) {
			return callLibrary(ctx, d, libraryLimit, libraryCall{Name: name}, nil)
		},
		remove: func(ctx context.Context) error {
			_, err := callLibrary(ctx, d, libraryLimit, libraryCall{Name: name, Delete: true, Kubeconfig: kubeconfig}, nil)
			return err
		},
		pulse: pulse,
	}
}

// Name gives "kind cluster NAME".
func (k *Kind) Name() string { return "kind cluster " + k.ClusterName }

// Addons is true.
func (k *Kind) Addons() bool { return true }

// Foreign is false: only a cluster that this project made is used.
func (k *Kind) Foreign() bool { return false }

// Node gives the node image.
func (k *Kind) Node(ctx context.Context, t *ui.Task, src source.Source) (source.Node, error) {
	return src.Node(ctx, t)
}

// Platform is empty: the node is a container of the engine.
func (k *Kind) Platform(context.Context) (string, error) { return "", nil }

func (k *Kind) node() string { return k.ClusterName + "-control-plane" }

func (k *Kind) keeper() keeper {
	return keeper{docker: k.Docker, node: k.node(), diagnoses: k.Diagnoses, layer: layerDir, pulse: k.pulse, inspect: k.inspect}
}

// State tells what there is of the cluster.
func (k *Kind) State(ctx context.Context) (State, error) {
	c, err := k.inspect(ctx)
	switch {
	case err != nil:
		return "", err
	case c == nil:
		return Absent, nil
	case c.State.Status == "running":
		return Running, nil
	}
	return Stopped, nil
}

// Up finds the cluster running, starts it where it is stopped, or makes it. A creation that was interrupted is cleared
// away and begun again.
func (k *Kind) Up(ctx context.Context, t *ui.Task, node source.Node, takesImages func()) (Access, error) {
	c, err := k.inspect(ctx)
	if err != nil {
		return Access{}, err
	}
	if err := k.prepareFolders(); err != nil {
		return Access{}, err
	}
	if c != nil && c.State.Status == "running" {
		if a, err := k.reach(ctx, c); err == nil {
			t.Unchanged("%s runs", k.Name())
			return a, a.awake(ctx, t, c.Started())
		}
	}
	if c != nil {
		a, err := k.revive(ctx, t, c)
		if !errors.Is(err, errIncomplete) {
			return a, err
		}
		t.Note("the creation of %s was interrupted; making it again", k.Name())
		if err := k.Delete(ctx, nil); err != nil {
			return Access{}, err
		}
	}
	return k.make(ctx, t, node, takesImages)
}

// Access tells how to reach the running cluster.
func (k *Kind) Access(ctx context.Context) (Access, error) {
	c, err := k.inspect(ctx)
	if err != nil {
		return Access{}, err
	}
	if c == nil || c.State.Status != "running" {
		return Access{}, fault.New(fault.CodeCluster, k.Name()+" does not run", "run: go tool mage deploy")
	}
	a, err := k.reach(ctx, c)
	return a, fault.Wrap(err, fault.CodeCluster, k.Name()+" does not answer", "run: go tool mage cluster:up")
}

// Load brings images into the node's containerd. The names stay.
func (k *Kind) Load(ctx context.Context, t *ui.Task, refs []string) (map[string]string, error) {
	return nil, k.containerd.of(k.Docker, k.node(), k.Cache).Load(ctx, t, refs)
}

// Prune removes superseded images from the node's containerd.
func (k *Kind) Prune(ctx context.Context, keep []string) ([]string, error) {
	return k.containerd.of(k.Docker, k.node(), k.Cache).Prune(ctx, keep)
}

// Down stops the node; the database stays on its volume.
func (k *Kind) Down(ctx context.Context, t *ui.Task) error {
	c, err := k.inspect(ctx)
	switch {
	case err != nil:
		return err
	case c == nil:
		t.Unchanged("there is no %s", k.Name())
		return nil
	case !c.Runs():
		t.Unchanged("%s is stopped", k.Name())
		return nil
	}
	if err := k.Docker.Stop(ctx, k.node(), 30*time.Second); err != nil {
		return fault.Wrap(err, fault.CodeCluster, k.Name()+" does not stop", "run the target again")
	}
	t.Result("%s stopped; its data is kept", k.Name())
	return nil
}

// Delete removes the node with its volumes, and the kubeconfig.
func (k *Kind) Delete(ctx context.Context, t *ui.Task) error {
	c, err := k.inspect(ctx)
	if err != nil {
		return err
	}
	if c == nil {
		t.Unchanged("there is no %s", k.Name())
		return k.forget()
	}
	if err := k.remove(ctx); err != nil {
		return fault.Wrap(err, fault.CodeCluster, k.Name()+" cannot be deleted", "run the target again")
	}
	t.Result("%s deleted", k.Name())
	return errors.Join(k.forget(), os.RemoveAll(k.markDir()))
}

// forget removes the kubeconfig, once nothing is left that it leads to.
func (k *Kind) forget() error {
	if err := os.Remove(k.Kubeconfig); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (k *Kind) markDir() string { return filepath.Join(k.Cache, "clusters", k.ClusterName) }
