package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

// mark is the record of a profile that this project made, a file that exists from before its creation until after its
// deletion.
type mark struct {
	Container string // ID of the node's container; empty until the creation is complete
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

// ours compares the record with the node: somebody may have deleted the profile that it speaks of, and made another one
// of the same name.
func (m *Minikube) ours(ctx context.Context) (bool, error) {
	k, ok := m.mark()
	if !ok || k.Container == "" {
		return ok, nil
	}
	id, err := m.container(ctx)
	return err == nil && (id == "" || id == k.Container), err
}

// container gives the ID of the node's container, or nothing where there is none.
func (m *Minikube) container(ctx context.Context) (string, error) {
	id, err := m.Docker.Output(ctx, "container", "inspect", "--format", "{{.Id}}", m.Profile)
	var e *run.Error
	if errors.As(err, &e) && strings.Contains(strings.ToLower(e.Output), "no such container") {
		return "", nil
	}
	if known := engine.Explain(err); known != nil {
		return "", known
	}
	return id, err
}

// unknown makes sure that a profile that minikube does not know is not one whose node is still there, with a database
// in it.
func (m *Minikube) unknown(ctx context.Context) error {
	k, _ := m.mark()
	if k.Container == "" {
		return nil
	}
	id, err := m.container(ctx)
	if err != nil || id != k.Container {
		return err
	}
	return fault.New(fault.CodeCluster, "minikube does not know "+m.Name()+", whose node is in the Docker engine",
		"see that MINIKUBE_HOME is the one that it was made with; nothing was deleted")
}
