package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

// minikubeLayer is the folder of the node's own file system where the mark of completion is written; any image has it.
const minikubeLayer = "/etc/"

func (m *Minikube) keeper() keeper {
	return keeper{docker: m.Docker, node: m.Profile, diagnoses: m.Diagnoses, layer: minikubeLayer, pulse: cmp.Or(m.pulse, pulse), inspect: m.container}
}

// make makes the profile, or goes on with one whose creation was interrupted. Where the node says that it was never
// completed, that is begun anew.
func (m *Minikube) make(ctx context.Context, t *ui.Task, node source.Node, exists bool, takesImages func()) error {
	again := func() error {
		t.Note("the creation of %s was interrupted; making it again", m.Name())
		exists = false
		return m.remove(ctx)
	}
	if exists && m.neverCompleted(ctx) {
		if err := again(); err != nil {
			return err
		}
	}
	k, err := m.begin(ctx, node, exists)
	if err != nil {
		return err
	}
	if m.Root {
		t.Note("minikube's docker driver refuses root, and is forced: this is run by root. A user of group docker needs no force")
	}
	err = m.start(ctx, t, node, true, takesImages)
	if err != nil && ctx.Err() == nil && exists && m.neverCompleted(ctx) {
		if err := again(); err != nil {
			return err
		}
		err = m.start(ctx, t, node, true, takesImages)
	}
	var f *fault.Error
	if exists && errors.As(err, &f) {
		f.Remedy += "; its creation was never completed, so that this begins again: go tool mage cluster:delete deploy"
	}
	if err != nil {
		return err
	}
	if err := m.furnish(ctx, t, node); err != nil {
		return err
	}
	return m.complete(ctx, k)
}

// begin marks the profile as one that this project makes.
func (m *Minikube) begin(ctx context.Context, node source.Node, exists bool) (mark, error) {
	k, begun := m.mark()
	if !exists {
		if err := m.unknown(ctx, k); err != nil {
			return k, err
		}
	}
	if !begun {
		k.Home = m.home()
	}
	k.Container, k.Base = "", node.Image
	return k, m.setMark(k)
}

// furnish gives a profile that is up what the application needs of it.
func (m *Minikube) furnish(ctx context.Context, t *ui.Task, node source.Node) error {
	if node.Image != "" {
		a, err := m.access(ctx)
		if err != nil {
			return err
		}
		if err := a.prepareVolume(ctx, m.Profile); err != nil {
			return fault.Wrap(err, fault.CodeCluster, m.Name()+" takes no volume", "run the target again")
		}
		return nil
	}
	for _, addon := range []string{"ingress", "metrics-server"} {
		t.Status("enabling the addon %s", addon)
		if _, err := m.output(ctx, 10*time.Minute, "addons", "enable", addon); err != nil {
			return m.failed(err, "does not get its addon "+addon)
		}
	}
	return nil
}

// neverCompleted tells whether the node runs and says of itself that its creation was never completed. Nothing else
// leads to a deletion that was not asked for.
func (m *Minikube) neverCompleted(ctx context.Context) bool {
	c, err := m.container(ctx)
	if err != nil || c == nil || c.State.Status != "running" {
		return false
	}
	complete, err := m.keeper().complete(ctx)
	return err == nil && !complete
}

// complete marks the profile as completed, in its node and beside the project's own cache.
func (m *Minikube) complete(ctx context.Context, k mark) error {
	c, err := m.container(ctx)
	if err != nil {
		return err
	}
	if c == nil {
		return m.elsewhere()
	}
	script := "mkdir -p -m 0777 " + volumeDir + " && touch " + minikubeLayer + readyMark + " " + readyDir + readyMark
	if _, err := m.Docker.Exec(ctx, m.Profile, "sh", "-c", script); err != nil {
		return fault.Wrap(err, fault.CodeCluster, m.Name()+" cannot be completed", "run the target again")
	}
	k.Container = c.ID
	return m.setMark(k)
}

// elsewhere is the failure of a profile whose node another engine has.
func (m *Minikube) elsewhere() error {
	return fault.New(fault.CodeCluster, m.Name()+" has no node container "+m.Profile+" in this Docker engine", "see that minikube uses the same Docker engine as `docker` does")
}

// startArgs are what minikube start is told. Some are of a new profile alone, which remembers them; repeated later,
// --install-addons=false would switch off what a person has enabled.
func (m *Minikube) startArgs(ctx context.Context, node source.Node, fresh bool) ([]string, error) {
	args := []string{"start", "--memory=4096", "--cpus=2", "--driver=docker", "--container-runtime=containerd", "--embed-certs", "--interactive=false", "--output=json"}
	if fresh {
		ports, err := m.Ports(ctx)
		if err != nil {
			return nil, err
		}
		args = append(args, fmt.Sprintf("--ports=127.0.0.1:%d:80,127.0.0.1:%d:443", ports.HTTP, ports.HTTPS))
	}
	own := m.Addons()
	if own || m.Root {
		// Of the project's Kubernetes, which is newer than itself, minikube would ask the internet.
		args = append(args, "--force")
	}
	if own {
		// Everything is in the node image: nothing is to be fetched.
		args = append(args, "--preload=false", "--cache-images=false", "--wait=apiserver,node_ready,system_pods")
	}
	if own && node.Minikube != nil {
		if err := m.seed(ctx, node); err != nil {
			return nil, err
		}
	}
	if own && fresh {
		if err := writeFile(m.storagePath(), []byte(node.Minikube.Storage)); err != nil {
			return nil, err
		}
		// The network is the node image's own, of a single node. What minikube applies in place of one is the storage.
		args = append(args, "--base-image="+node.Image, "--kubernetes-version="+node.Minikube.Kubernetes, "--install-addons=false",
			"--cni="+m.storagePath(), "--apiserver-port=6443")
	}
	return args, nil
}

func (m *Minikube) storagePath() string {
	return filepath.Join(m.Cache, "minikube", m.Profile+"-storage.yaml")
}

// seed puts kubeadm where minikube would download it to: it asks it for the names of images.
func (m *Minikube) seed(ctx context.Context, node source.Node) error {
	path := filepath.Join(m.home(), ".minikube", "cache", "linux", runtime.GOARCH, node.Minikube.Kubernetes, "kubeadm")
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	partial, err := os.CreateTemp(filepath.Dir(path), "kubeadm-")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(partial.Name()) }()
	_, err = m.Docker.Run(ctx, run.Cmd{
		Args: []string{"run", "--rm", "--network", "none", "--entrypoint", "cat", node.Image, "/usr/bin/kubeadm"}, Stdout: partial,
	})
	if err := errors.Join(err, partial.Chmod(0o755), partial.Close()); err != nil {
		return fault.Wrap(err, fault.CodeEnvironment, "kubeadm cannot be taken out of "+node.Image, "run the target again")
	}
	return os.Rename(partial.Name(), path)
}
