package cluster

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
)

// mark is what the project keeps of a profile that it makes, from before there is any of it. minikube has no place for
// it.
type mark struct {
	Container string // ID of the node's container; empty until the creation is complete
	Base      string // image of the project's that the node is made from; empty where it is minikube's own
	Home      string // MINIKUBE_HOME of the profile; the person's own where empty
}

func (m *Minikube) markPath() string {
	return filepath.Join(m.Cache, "clusters", m.Profile+".minikube.json")
}

// Made tells whether this project made the profile, or began to.
func (m *Minikube) Made() bool {
	_, ok := m.mark()
	return ok
}

func (m *Minikube) mark() (mark, bool) {
	var k mark
	raw, err := os.ReadFile(m.markPath())
	return k, err == nil && json.Unmarshal(raw, &k) == nil
}

func (m *Minikube) setMark(k mark) error {
	raw, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return writeFile(m.markPath(), raw)
}

// home is the MINIKUBE_HOME of the profile, or empty where that is the person's own. A new profile from source has one
// of the project's, in which nothing is looked for on the internet.
func (m *Minikube) home() string {
	if k, ok := m.mark(); ok {
		return k.Home
	}
	if m.FromSource {
		return filepath.Join(m.Cache, "minikube")
	}
	return ""
}

// ours tells whether the profile is the one that this project made: with the same node, or with none yet or any more.
func (m *Minikube) ours(ctx context.Context) (bool, error) {
	k, ok := m.mark()
	if !ok || k.Container == "" {
		return ok, nil
	}
	c, err := m.container(ctx)
	return err == nil && (c == nil || c.ID == k.Container), err
}

// container is the profile's node, or nil where the engine has none.
func (m *Minikube) container(ctx context.Context) (*engine.Container, error) {
	return inspectNode(ctx, m.Docker, m.Profile)
}

// unknown is an error where the engine has a node of this name that minikube knows nothing of: minikube would remove
// it, and its data would go.
func (m *Minikube) unknown(ctx context.Context, k mark) error {
	c, err := m.container(ctx)
	if err != nil || c == nil {
		return err
	}
	if c.ID == k.Container {
		return fault.New(fault.CodeCluster, "minikube does not know "+m.Name()+", whose node is in the Docker engine",
			"see that MINIKUBE_HOME is the one that it was made with; nothing was deleted")
	}
	return fault.New(fault.CodeCluster, "a container "+m.Profile+" exists, and minikube has no such profile",
		"choose another name with TODO_CLUSTER_NAME, or remove it: docker rm --force "+m.Profile)
}
