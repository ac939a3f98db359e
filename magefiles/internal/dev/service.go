package dev

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/words"
)

// again is how long after the end of a connection the next one is tried.
const again = 300 * time.Millisecond

// service brings the code of one service to the pod that runs it, and tells what becomes of it.
type service struct {
	app.Service
	tree tree
	tell teller

	mu    sync.Mutex
	saved save
	wake  chan struct{}
}

// save is what was saved and has not been sent yet.
type save struct {
	want  map[string]file // all that is synced, as it shall be
	paths []string        // what is other than before
	began time.Time       // when the first of it was noticed
}

func newService(s app.Service, dir string, tell teller) *service {
	return &service{Service: s, tree: tree{dir: dir}, tell: tell, wake: make(chan struct{}, 1)}
}

func (s *service) say(m mark, format string, args ...any) {
	s.tell(s.Name, m, fmt.Sprintf(format, args...))
}

// take notes what was saved for the connection to send, where it is connected.
func (s *service) take(paths []string, began time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.saved.paths) == 0 {
		s.saved.began = began
	}
	s.saved.paths = append(s.saved.paths, paths...)
	s.saved.want = s.tree.files // a scan makes another, and leaves this one alone
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *service) taken() save {
	s.mu.Lock()
	defer s.mu.Unlock()
	given := s.saved
	s.saved.paths, s.saved.began = nil, time.Time{}
	return given
}

// untaken gives back what a pod did not take: with what was saved since, it is told of once another pod has.
func (s *service) untaken(given save) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(given.paths) > 0 {
		s.saved.paths, s.saved.began = append(given.paths, s.saved.paths...), given.began
	}
}

// pods is what there is to bring code to.
type pods interface {
	// pod names the pod that takes changes of a service.
	pod(ctx context.Context, of app.Service) (string, error)
	exec(ctx context.Context, p kube.Process) error
}

// keep has the pod that runs the service agree with the checkout until ctx ends, or until the application is in
// development mode no more.
func (s *service) keep(ctx context.Context, p pods) error {
	var told string
	for {
		err := s.connected(ctx, p)
		if ctx.Err() != nil || errors.Is(err, errOver) {
			return err
		}
		if text := err.Error(); text != told {
			s.say(odd, "%s; connecting again", words.OneLine(text))
			told = text
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(again):
		}
	}
}

// connected does so for as long as one connection lasts.
func (s *service) connected(ctx context.Context, p pods) error {
	name, err := p.pod(ctx, s.Service)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := open(ctx, p.exec, kube.Process{Pod: name, Container: s.Name, Command: s.Develop.Take})
	has, failed, err := c.manifest(ctx)
	if err != nil {
		return err
	}
	if failed != "" {
		s.failed("the code", failed)
	}
	var under []change
	for {
		saved := s.taken()
		next, err := s.send(ctx, c, has, saved)
		if err != nil {
			s.untaken(saved)
			return err
		}
		if next.number != 0 {
			under = append(under, next)
		}
		if under, err = s.await(ctx, c, under); err != nil {
			return err
		}
	}
}

// change is what was saved and a pod has.
type change struct {
	save
	number int // 0 where there was nothing to send
	sent   time.Time
}

// send makes what the pod has what was saved.
func (s *service) send(ctx context.Context, c *stream, has map[string]string, now save) (change, error) {
	write, sums := map[string][]byte{}, map[string]string{}
	var remove []string
	for rel, f := range now.want {
		if has[rel] == f.sum || len(within([]string{rel}, s.Develop.Synced)) == 0 {
			continue
		}
		if raw, there := s.tree.read(rel); there {
			write[rel], sums[rel] = raw, digest(raw)
		}
	}
	for rel := range has {
		if _, there := now.want[rel]; !there {
			remove = append(remove, rel)
		}
	}
	if len(write) == 0 && len(remove) == 0 {
		return change{}, nil
	}
	number, err := c.apply(ctx, write, remove)
	if err != nil {
		return change{}, err
	}
	maps.Copy(has, sums)
	for _, rel := range remove {
		delete(has, rel)
	}
	return change{now, number, time.Now()}, nil
}

// await tells what becomes of the changes that are under way, until there is another to send.
func (s *service) await(ctx context.Context, c *stream, under []change) ([]change, error) {
	for {
		select {
		case <-s.wake:
			return under, nil
		case e := <-c.events:
			// What is served has everything in it that was sent before, and of that nothing more is heard.
			n := slices.IndexFunc(under, func(c change) bool { return c.number == e.Change })
			if n >= 0 {
				s.became(under[:n+1], e)
				under = under[n+1:]
			}
		case <-c.ended:
			return nil, fmt.Errorf("the connection ended: %w", c.err)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// became says what became of changes that came one after the other, the last of which the event is about.
func (s *service) became(changes []change, e message) {
	var paths []string
	for _, c := range changes {
		paths = append(paths, c.paths...)
	}
	what := named(paths)
	switch e.Event {
	case "failed":
		s.failed(what, e.Traceback)
		return
	case "unused":
		s.say(plain, "%s is in the pod, and in nothing that a browser has asked for", what)
		return
	}
	if changes[0].began.IsZero() {
		s.say(good, "serves the code as it is in the checkout")
		return
	}
	whole := time.Since(changes[0].began)
	imported := time.Duration(e.Imported * float64(time.Second))
	send := changes[len(changes)-1].sent.Sub(changes[0].began)
	s.say(good, "%s is served after %.2f s (%.2f to send, %.2f to load, %.2f to take over)",
		what, whole.Seconds(), send.Seconds(), imported.Seconds(), max(0, whole-send-imported).Seconds())
}

func (s *service) failed(what, traceback string) {
	s.say(bad, "%s does not load; %s\n%s", what, s.Develop.Mistake, strings.TrimRight("    "+strings.ReplaceAll(traceback, "\n", "\n    "), " "))
}

// named says which files these are.
func named(paths []string) string {
	paths = slices.Compact(slices.Sorted(slices.Values(paths)))
	switch len(paths) {
	case 0:
		return "the code"
	case 1:
		return paths[0]
	}
	return fmt.Sprintf("%s and %d more", paths[0], len(paths)-1)
}

// takes tells whether a pod runs an image whose process takes changes.
func takes(p *corev1.Pod, container, image string) bool {
	runs := slices.ContainsFunc(p.Spec.Containers, func(c corev1.Container) bool { return c.Name == container && c.Image == image })
	return runs && p.DeletionTimestamp == nil && slices.ContainsFunc(p.Status.ContainerStatuses, func(c corev1.ContainerStatus) bool {
		return c.Name == container && c.State.Running != nil
	})
}
