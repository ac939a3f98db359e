package cluster

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/image"
	"todo.local/magefiles/internal/kube"
)

// inspect gives the cluster's node, or nil where there is none. A node that this project did not make is an error.
func (k *Kind) inspect(ctx context.Context) (*engine.Container, error) {
	c, err := inspectNode(ctx, k.Docker, k.node())
	if c == nil || err != nil || c.HasMount(markMount) {
		return c, err
	}
	return nil, fault.New(fault.CodeCluster, "a container "+k.node()+" exists that this project did not make",
		"choose another name with TODO_CLUSTER_NAME")
}

// inspectNode gives a container of the engine, or nil where there is none of the name.
func inspectNode(ctx context.Context, d *engine.Docker, name string) (*engine.Container, error) {
	c, err := d.Container(ctx, name)
	if err != nil {
		if known := engine.Explain(err); known != nil {
			return nil, known
		}
		return nil, err
	}
	return c, nil
}

// reach gives the access to a running node whose API server answers. A fresh checkout has no kubeconfig yet, and that
// of a remade cluster is another.
func (k *Kind) reach(ctx context.Context, c *engine.Container) (Access, error) {
	if a := k.access(c); a.Ready(ctx) == nil {
		return a, nil
	}
	if complete, err := k.keeper().complete(ctx); err != nil {
		return Access{}, err
	} else if !complete {
		return Access{}, errIncomplete
	}
	a, err := k.exportKubeconfig(ctx, c)
	if err != nil {
		return Access{}, err
	}
	return a, a.Ready(ctx)
}

func (k *Kind) access(c *engine.Container) Access {
	return Access{
		API: kube.API{Kubeconfig: k.Kubeconfig, Context: "kind-" + k.ClusterName}, HTTP: c.Published(80), HTTPS: c.Published(443), NodeImage: c.Config.Image,
	}
}

// exportKubeconfig writes the node's admin kubeconfig with its address on this host.
func (k *Kind) exportKubeconfig(ctx context.Context, c *engine.Container) (Access, error) {
	text, err := k.kubeconfig(ctx)
	if err != nil {
		return Access{}, fmt.Errorf("its kubeconfig cannot be read: %w", err)
	}
	return k.access(c), writeFile(k.Kubeconfig, []byte(text))
}

// containerd is where a node keeps its images. What it has is asked once, so there is one for each provider.
type containerd struct {
	once sync.Once
	node *image.Node
}

// of gives the containerd of a node that is a container of the engine, with the project's cache folder.
func (c *containerd) of(d *engine.Docker, node, cache string) *image.Node {
	c.once.Do(func() {
		c.node = &image.Node{Docker: d, Container: node, Blobs: filepath.Join(cache, "blobs"), Records: filepath.Join(cache, "transported")}
	})
	return c.node
}
