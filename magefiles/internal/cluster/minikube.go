package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"time"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

// noProfile is the exit code with which minikube says that a profile does not exist.
const noProfile = 85

// Minikube is a cluster in a minikube profile of its own, driven through the minikube program. With the docker driver its node is a container of
// the Docker engine like kind's; with containerd in it, images travel the same way as to a kind node: only missing layers, proved by digest.
type Minikube struct {
	Runner     run.Runner
	Docker     *engine.Docker
	Profile    string
	Kubeconfig string // where its kubeconfig is written
	Cache      string // the project's cache folder

	containerd containerd
}

// Name gives "minikube profile NAME".
func (m *Minikube) Name() string { return "minikube profile " + m.Profile }

// Addons is false: minikube has addons of its own.
func (m *Minikube) Addons() bool { return false }

// Foreign is false: only a profile that this project made is used.
func (m *Minikube) Foreign() bool { return false }

// Platform is empty: the node is a container of the engine.
func (m *Minikube) Platform(context.Context) (string, error) { return "", nil }

// profile is what minikube tells of a profile. All fields are empty where only its configuration is left.
type profile struct{ Host, Kubelet, APIServer string }

func (p profile) serves() bool {
	return p.Host == "Running" && p.Kubelet == "Running" && p.APIServer == "Running"
}

// inspect gives the profile, or nil where there is none. One that this project did not make is an error. The exit code of "minikube status" is a
// set of flags about its parts, so that what it prints is the answer.
func (m *Minikube) inspect(ctx context.Context) (*profile, error) {
	out, err := m.output(ctx, time.Minute, "status", "--output", "json")
	var exit *run.Error
	if err != nil && (!errors.As(err, &exit) || exit.Code < 0 || exit.Code > 7 && exit.Code != noProfile) {
		return nil, m.failed(err, "cannot be looked at")
	}
	if exit != nil && exit.Code == noProfile {
		return nil, nil
	}
	var p *profile
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		return nil, fault.Wrap(err, fault.CodeCluster, "minikube status gave no usable answer for "+m.Name(), "see: minikube status --profile "+m.Profile)
	}
	if p == nil { // of a node that somebody removed
		p = &profile{}
	}
	ours, err := m.ours(ctx)
	if err == nil && !ours {
		err = fault.New(fault.CodeCluster, m.Name()+" exists and this project did not make it", "choose another name with TODO_CLUSTER_NAME")
	}
	return p, err
}

// State tells what there is of the profile.
func (m *Minikube) State(ctx context.Context) (State, error) {
	p, err := m.inspect(ctx)
	switch {
	case err != nil:
		return "", err
	case p == nil:
		return Absent, nil
	case p.Host == "Running":
		return Running, nil
	}
	return Stopped, nil
}

// Up finds the profile running, starts it where it is stopped, or makes it. minikube brings its own node image.
func (m *Minikube) Up(ctx context.Context, t *ui.Task, _ source.Node, _ func()) (Access, error) {
	p, err := m.inspect(ctx)
	if err != nil {
		return Access{}, err
	}
	k, _ := m.mark()
	complete := p != nil && k.Container != ""
	if complete && p.serves() {
		if a, err := m.access(ctx); err == nil {
			t.Unchanged("%s runs", m.Name())
			return a, nil
		}
	}
	begin := time.Now()
	if err := m.make(ctx, t, p != nil, complete); err != nil {
		return Access{}, err
	}
	a, err := m.access(ctx)
	if err != nil {
		return Access{}, err
	}
	if !complete {
		t.Result("%s made in %.1f s", m.Name(), time.Since(begin).Seconds())
		return a, nil
	}
	t.Result("%s was stopped and runs again", m.Name())
	if p.Host == "Running" {
		return a, nil // only what is in it was paused
	}
	return a, a.awake(ctx, t, begin)
}

// make brings the profile to where it runs with its addons. minikube itself goes on with a creation that was
// interrupted, and what it cannot go on with is not deleted for that: that the record calls it unfinished does not tell
// what became of it since.
func (m *Minikube) make(ctx context.Context, t *ui.Task, exists, complete bool) error {
	if !exists {
		if err := m.unknown(ctx); err != nil {
			return err
		}
		if err := m.setMark(mark{}); err != nil {
			return err
		}
	}
	err := m.start(ctx, t)
	var f *fault.Error
	if exists && !complete && errors.As(err, &f) {
		f.Remedy += "; its creation was never completed, so that this begins again: go tool mage cluster:delete deploy"
	}
	if err != nil {
		return err
	}
	if !complete {
		for _, addon := range []string{"ingress", "metrics-server"} {
			t.Status("enabling the addon %s", addon)
			if _, err := m.output(ctx, 10*time.Minute, "addons", "enable", addon); err != nil {
				return m.failed(err, "does not get its addon "+addon)
			}
		}
	}
	id, err := m.container(ctx)
	if err != nil {
		return err
	}
	if id == "" {
		return fault.New(fault.CodeCluster, m.Name()+" has no node container "+m.Profile+" in this Docker engine", "see that minikube uses the same Docker engine as `docker` does")
	}
	return m.setMark(mark{Container: id})
}

// Access tells how to reach the running cluster.
func (m *Minikube) Access(ctx context.Context) (Access, error) {
	p, err := m.inspect(ctx)
	if err != nil {
		return Access{}, err
	}
	if p == nil || p.Host != "Running" {
		return Access{}, fault.New(fault.CodeCluster, m.Name()+" does not run", "run: go tool mage deploy")
	}
	return m.access(ctx)
}

// access asks for the node's address, where the ingress addon listens, and renews the kubeconfig where it does not lead to the cluster: a fresh
// checkout has none, and a restart gives the API server another port.
func (m *Minikube) access(ctx context.Context) (Access, error) {
	ip, err := m.output(ctx, time.Minute, "ip")
	if err != nil {
		return Access{}, m.failed(err, "gives no address")
	}
	if net.ParseIP(ip) == nil {
		return Access{}, fault.New(fault.CodeCluster, "minikube ip gave no address for "+m.Name(), "see: minikube ip --profile "+m.Profile)
	}
	a := Access{API: kube.API{Kubeconfig: m.Kubeconfig, Context: m.Profile}, HTTP: net.JoinHostPort(ip, "80"), HTTPS: net.JoinHostPort(ip, "443")}
	if a.Ready(ctx) == nil {
		return a, nil
	}
	if err := os.MkdirAll(filepath.Dir(m.Kubeconfig), 0o755); err != nil {
		return Access{}, err
	}
	if _, err := m.output(ctx, time.Minute, "update-context"); err != nil {
		return Access{}, m.failed(err, "gives no kubeconfig")
	}
	if err := a.WaitReady(ctx, time.Minute); err != nil {
		return Access{}, fault.Wrap(err, fault.CodeCluster, m.Name()+" does not answer", "run: go tool mage cluster:down cluster:up")
	}
	return a, nil
}

// Load brings images into the node's containerd. The names stay.
func (m *Minikube) Load(ctx context.Context, t *ui.Task, refs []string) (map[string]string, error) {
	return nil, m.containerd.of(m.Docker, m.Profile, m.Cache).Load(ctx, t, refs)
}

// Prune removes superseded images from the node's containerd.
func (m *Minikube) Prune(ctx context.Context, keep []string) ([]string, error) {
	return m.containerd.of(m.Docker, m.Profile, m.Cache).Prune(ctx, keep)
}

// Down stops the node; the database stays on its volume.
func (m *Minikube) Down(ctx context.Context, t *ui.Task) error {
	p, err := m.inspect(ctx)
	switch {
	case err != nil:
		return err
	case p == nil:
		t.Unchanged("there is no %s", m.Name())
		return nil
	case p.Host != "Running":
		t.Unchanged("%s is stopped", m.Name())
		return nil
	}
	if _, err := m.output(ctx, 3*time.Minute, "stop"); err != nil {
		return m.failed(err, "does not stop")
	}
	t.Result("%s stopped; its data is kept", m.Name())
	return nil
}

// Delete removes the profile with its volume, and the kubeconfig.
func (m *Minikube) Delete(ctx context.Context, t *ui.Task) error {
	p, err := m.inspect(ctx)
	if err != nil {
		return err
	}
	if p == nil {
		t.Unchanged("there is no %s", m.Name())
	} else {
		if _, err := m.output(ctx, 5*time.Minute, "delete"); err != nil {
			return m.failed(err, "cannot be deleted")
		}
		t.Result("%s deleted", m.Name())
	}
	for _, path := range []string{m.Kubeconfig, m.markPath()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
