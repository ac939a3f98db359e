// Package dashboard is a page on which the running application is watched and operated. It is served on 127.0.0.1 to
// the person who started it, from the files below page, and lives as long as the process does.
package dashboard

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"sync"
	"time"

	"todo.local/magefiles/internal/analysis"
	"todo.local/magefiles/internal/host"
)

// How often the page's figures are looked at anew. The analysis asks for much more than the services do.
const (
	servicesEvery = 2 * time.Second
	releaseEvery  = 10 * time.Second
)

// Pod is a pod of a service.
type Pod struct {
	Name     string    `json:"name"`
	Phase    string    `json:"phase"`
	Ready    bool      `json:"ready"`
	Restarts int       `json:"restarts"`
	Since    time.Time `json:"since"`
}

// Service is how a service is.
type Service struct {
	Name     string    `json:"name"`
	Version  string    `json:"version"` // the image's tag
	Wanted   int       `json:"wanted"`
	Ready    int       `json:"ready"`
	Scalable bool      `json:"scalable"`
	Restarts int       `json:"restarts"`
	Changed  time.Time `json:"changed"` // when its newest pod was made
	CPU      Usage     `json:"cpu"`     // in thousandths of a core
	Memory   Usage     `json:"memory"`  // in bytes
	Pods     []Pod     `json:"pods"`
}

// Usage is what the pods of a service use, and may use. It is 0 where it is not known, and where there is no limit.
type Usage struct {
	Used  int64 `json:"used"`
	Limit int64 `json:"limit"`
}

// Revision is a version of the release.
type Revision struct {
	Number      int       `json:"number"`
	Status      string    `json:"status"`
	Updated     time.Time `json:"updated"`
	Verified    bool      `json:"verified"`
	Description string    `json:"description"`
}

// Release is what is deployed, and what is wrong with it.
type Release struct {
	Revisions []Revision         `json:"revisions"` // the newest first
	Findings  []analysis.Finding `json:"findings"`
}

// Line is one line that a pod logged, or that an action of the page printed.
type Line struct {
	Service string `json:"service"`
	Pod     string `json:"pod,omitempty"`
	Text    string `json:"text"`
}

// Names of actions.
const (
	Restart  = "restart"
	Scale    = "scale"
	Rollback = "rollback"
	Ask      = "ask"
	Test     = "test"
)

// Action is what a person asks for on the page.
type Action struct {
	Name     string `json:"name"`
	Service  string `json:"service"`  // of Restart and Scale
	Number   int    `json:"number"`   // of pods for Scale, of the revision for Rollback
	Question string `json:"question"` // of Ask
}

// Application is what the page shows and operates.
type Application interface {
	Services(ctx context.Context) ([]Service, error)
	Release(ctx context.Context) (Release, error)
	// Follow gives the last lines of all logs and then new ones as they come, until ctx ends.
	Follow(ctx context.Context, emit func(Line)) error
	// Diff is what going back to a revision would change.
	Diff(ctx context.Context, revision int) (string, error)
	// Do does what was asked for, prints its progress or its answer, and returns once it is done.
	Do(ctx context.Context, a Action, out io.Writer) error
}

// Facts do not change while the page lives.
type Facts struct {
	Cluster string   `json:"cluster"`
	URLs    []string `json:"urls"` // where the application answers
}

// Serve serves the page until ctx ends. Port 0 is any that is free. say gets the address that opens it.
func Serve(ctx context.Context, app Application, facts Facts, port int, say func(url string)) error {
	listener, err := host.Listen(ctx, port)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &server{app: app, hub: newHub(), token: rand.Text(), address: listener.Addr().String(), ended: ctx.Done()}
	s.hub.state("facts", facts)
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	work.Go(func() { s.poll(ctx, servicesEvery, "services", func() (any, error) { return app.Services(ctx) }) })
	work.Go(func() { s.poll(ctx, releaseEvery, "release", func() (any, error) { return app.Release(ctx) }) })
	work.Go(func() { s.follow(ctx) })
	say(fmt.Sprintf("http://%s/?token=%s", s.address, s.token))
	return host.Serve(ctx, listener, s.handler())
}

// poll looks again and again at one part of the state, at once after an action, and only while somebody watches.
func (s *server) poll(ctx context.Context, every time.Duration, name string, look func() (any, error)) {
	for ctx.Err() == nil {
		acted := s.hub.acted()
		if s.hub.watched(ctx) {
			state, err := look()
			if ctx.Err() != nil {
				return
			}
			s.hub.trouble(name, err)
			if err == nil {
				s.hub.state(name, state)
			}
		}
		select {
		case <-ctx.Done():
		case <-acted:
		case <-time.After(every):
		}
	}
}

// follow hands on what the pods log. Where that breaks off, as when the cluster is stopped, it begins again.
func (s *server) follow(ctx context.Context) {
	for ctx.Err() == nil {
		s.hub.trouble("logs", s.app.Follow(ctx, s.hub.line))
		select {
		case <-ctx.Done():
		case <-time.After(servicesEvery):
		}
	}
}
