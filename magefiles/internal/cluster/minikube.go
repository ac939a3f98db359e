package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

const (
	// noProfile is the exit code with which minikube says that a profile does not exist.
	noProfile = 85
	// questionLimit is how long minikube may take to answer; a second mostly, and a minute where a machine has far more
	// to do than it can.
	questionLimit = 3 * time.Minute
)

// Minikube is a cluster in a minikube profile of its own, driven through the minikube program. With the docker driver
// its node is a container of the Docker engine like kind's; with containerd in it, images travel the same way as to a
// kind node: only missing layers, proved by digest.
type Minikube struct {
	Runner     run.Runner
	Docker     *engine.Docker
	Profile    string
	Kubeconfig string                                          // where its kubeconfig is written
	Cache      string                                          // the project's cache folder
	FromSource bool                                            // a new profile is made from the project's node image, and not from what minikube pulls
	Root       bool                                            // minikube runs as root, which it has to be forced to
	Built      func() string                                   // path of a minikube that this project has built, or empty
	Build      func(context.Context, *ui.Task) (string, error) // builds one and gives its path
	Ports      func(context.Context) (Ports, error)            // picks the ports of a new profile
	Diagnoses  string                                          // folder for the evidence of a node that does not come up
	pulse      time.Duration

	containerd containerd
	path       sync.Mutex
	program    string // path of the minikube that is used, once known
}

// Name gives "minikube profile NAME".
func (m *Minikube) Name() string { return "minikube profile " + m.Profile }

// Addons tells whether the profile is made from the project's node image. Others get minikube's own addons.
func (m *Minikube) Addons() bool {
	if k, _ := m.mark(); k.Container != "" {
		return k.Base != ""
	}
	return m.FromSource
}

// Foreign is false: only a profile that this project made is used.
func (m *Minikube) Foreign() bool { return false }

// Platform is empty: the node is a container of the engine.
func (m *Minikube) Platform(context.Context) (string, error) { return "", nil }

// Node gives the image of a profile that is made from the project's; it is empty for one of minikube's own parts.
func (m *Minikube) Node(ctx context.Context, t *ui.Task, src source.Source) (source.Node, error) {
	if !m.Addons() {
		return source.Node{}, nil
	}
	return src.Minikube(ctx, t)
}

// profile is what minikube tells of a profile. All fields are empty where only its configuration is left.
type profile struct{ Host, Kubelet, APIServer string }

func (p profile) serves() bool {
	return p.Host == "Running" && p.Kubelet == "Running" && p.APIServer == "Running"
}

// inspect gives the profile, or nil where there is none. One that this project did not make is an error. The exit code
// of "minikube status" is a set of flags about its parts, so that what it prints is the answer.
func (m *Minikube) inspect(ctx context.Context) (*profile, error) {
	if !m.Made() && !m.installed() {
		return nil, nil
	}
	out, err := m.output(ctx, questionLimit, "status", "--output", "json")
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

// Up starts the profile, where it does not serve yet. A creation that was interrupted goes on.
func (m *Minikube) Up(ctx context.Context, t *ui.Task, node source.Node, takesImages func()) (Access, error) {
	if _, err := m.find(ctx, t); err != nil {
		return Access{}, err
	}
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
	if complete {
		if err = m.start(ctx, t, node, false, takesImages); err == nil {
			err = m.complete(ctx, mark{Base: k.Base, Home: k.Home})
		}
	} else {
		err = m.make(ctx, t, node, p != nil, takesImages)
	}
	if err != nil {
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

// Access tells how to reach the running profile.
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

// access gives the access to the profile's API server once that answers. The kubeconfig is renewed where it does not
// lead there: a checkout may be new, and minikube stop takes the profile out of it.
func (m *Minikube) access(ctx context.Context) (Access, error) {
	c, err := m.container(ctx)
	if err != nil {
		return Access{}, err
	}
	if c == nil {
		return Access{}, m.elsewhere()
	}
	k, _ := m.mark()
	a := Access{API: kube.API{Kubeconfig: m.Kubeconfig, Context: m.Profile}, HTTP: c.Published(80), HTTPS: c.Published(443), NodeImage: k.Base}
	if a.HTTP == "" { // a profile of before the ports were published
		ip, err := m.output(ctx, questionLimit, "ip")
		if err != nil {
			return Access{}, m.failed(err, "gives no address")
		}
		if net.ParseIP(ip) == nil {
			return Access{}, fault.New(fault.CodeCluster, "minikube ip gave no address for "+m.Name(), "see: minikube ip --profile "+m.Profile)
		}
		a.HTTP, a.HTTPS = net.JoinHostPort(ip, "80"), net.JoinHostPort(ip, "443")
	}
	if a.Ready(ctx) == nil {
		return a, nil
	}
	if err := os.MkdirAll(filepath.Dir(m.Kubeconfig), 0o755); err != nil {
		return Access{}, err
	}
	if _, err := m.output(ctx, questionLimit, "update-context"); err != nil {
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

// Down stops the profile and keeps its data.
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

// Delete removes the profile with its data.
func (m *Minikube) Delete(ctx context.Context, t *ui.Task) error {
	p, err := m.inspect(ctx)
	if err != nil {
		return err
	}
	if p == nil {
		t.Unchanged("there is no %s", m.Name())
	} else {
		if err := m.remove(ctx); err != nil {
			return err
		}
		t.Result("%s deleted", m.Name())
	}
	for _, path := range []string{m.Kubeconfig, m.storagePath(), m.markPath()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (m *Minikube) remove(ctx context.Context) error {
	_, err := m.output(ctx, 5*time.Minute, "delete")
	if err != nil {
		return m.failed(err, "cannot be deleted")
	}
	return nil
}
