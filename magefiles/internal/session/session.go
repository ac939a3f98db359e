// Package session is what targets work with. Each kind of session has all that its name says, and none of it changes:
// what a piece of work needs of the machine stands in its parameters. A Session needs nothing; it opens the others.
package session

import (
	"context"
	"fmt"

	"k8s.io/client-go/kubernetes"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/doctor"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/source/scratch"
	"todo.local/magefiles/internal/ui"
)

// Session is one run of a target: its settings, where it shows what it does, and how it starts programs.
type Session struct {
	Config *config.Config
	UI     *ui.UI
	Runner run.Runner
}

// New makes a session with the given settings that shows its progress on out.
func New(cfg *config.Config, out *ui.UI) Session {
	return Session{Config: cfg, UI: out, Runner: run.Exec{Hide: cfg.Secrets()}}
}

// Engine is a session on a machine whose Docker engine answers.
type Engine struct {
	Session
	Docker *engine.Docker
}

// OpenEngine finds the Docker engine. Nothing else of the machine is looked at.
func (s Session) OpenEngine(ctx context.Context) (Engine, error) {
	docker, err := doctor.Find(ctx, s.Runner, s.Config)
	return Engine{Session: s, Docker: docker}, err
}

// Source is a session on a machine that can deploy: one with an engine, and a source of images.
type Source struct {
	Engine
	Images source.Source
}

// OpenSource checks the machine and decides where images come from.
func (s Session) OpenSource(ctx context.Context) (opened Source, err error) {
	err = s.UI.Do("Machine", func(t *ui.Task) error {
		docker, err := doctor.Require(ctx, s.Runner, s.Config)
		if err != nil {
			return err
		}
		images, why, err := source.Pick(ctx, t, s.Config, docker, scratch.New(s.Config, docker))
		if err != nil {
			return err
		}
		opened = Source{Engine: Engine{Session: s, Docker: docker}, Images: images}
		t.Unchanged("Docker answers; images from %s (%s)", images.Name(), why)
		return nil
	})
	return opened, err
}

// Cluster is a session with a running cluster.
type Cluster struct {
	Engine
	Provider cluster.Provider
	Access   cluster.Access
	Client   kubernetes.Interface
}

// OpenCluster connects to the cluster. One that does not run is an error.
func (s Session) OpenCluster(ctx context.Context) (Cluster, error) {
	e, err := s.OpenEngine(ctx)
	if err != nil {
		return Cluster{}, err
	}
	p := e.ChooseProvider(ctx)
	state, err := p.State(ctx)
	if err != nil {
		return Cluster{}, err
	}
	if state != cluster.Running {
		return Cluster{}, fault.New(fault.CodeCluster, fmt.Sprintf("%s is %s", p.Name(), state), "run: go tool mage deploy")
	}
	return e.Connect(ctx, p)
}

// Connect connects to a cluster that runs.
func (e Engine) Connect(ctx context.Context, p cluster.Provider) (Cluster, error) {
	access, err := p.Access(ctx)
	if err != nil {
		return Cluster{}, err
	}
	return e.Connected(p, access)
}

// Connected is a session with a cluster that is reached in the given way.
func (e Engine) Connected(p cluster.Provider, access cluster.Access) (Cluster, error) {
	client, err := access.Client()
	return Cluster{Engine: e, Provider: p, Access: access, Client: client}, err
}
