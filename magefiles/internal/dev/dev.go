// Package dev is the inner loop: what is saved in the checkout is served a moment later, in the cluster and behind the
// ingress that the application is deployed to.
package dev

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/deploy"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/kube"
	"todo.local/magefiles/internal/podlog"
	"todo.local/magefiles/internal/session"
)

// errOver is of an application that another run has deployed.
var errOver = errors.New("another run has deployed the application, which ends the development mode")

// Run deploys what is to be deployed, puts a service into development mode, or where name is empty all that have one,
// and serves what is saved until Ctrl-C, which puts the deployed version back.
func Run(ctx context.Context, s session.Session, name string) error {
	of := app.Developed()
	if name != "" {
		of = slices.DeleteFunc(of, func(s app.Service) bool { return s.Name != name })
		if len(of) == 0 {
			return fault.New(fault.CodeInput, fmt.Sprintf("%q is no service that can be worked on while it runs", name),
				"name one of: "+strings.Join(app.Names(app.Developed()), ", "))
		}
	}
	// Mage would end this process five seconds after the first Ctrl-C, in the middle of putting the version back.
	signal.Reset(os.Interrupt)
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return fault.Wrap(err, fault.CodeEnvironment, "files cannot be watched", "raise fs.inotify.max_user_instances and fs.inotify.max_user_watches")
	}
	defer func() { _ = notify.Close() }()
	l := &loop{
		watcher: watcher{notify},
		tell:    tellOn(s.UI),
		say:     func(format string, args ...any) { s.UI.Printf(format+"\n", args...) },
		chart:   tree{dir: s.Config.Chart("todo-app")},
		deploy:  func(ctx context.Context) error { return deploy.Deploy(ctx, s) },
		begin: func(ctx context.Context) (mode, error) {
			d, err := deploy.Develop(ctx, s, of)
			return development{d, s}, err
		},
	}
	for _, service := range of {
		l.services = append(l.services, newService(service, filepath.Join(s.Config.Root, service.Folder), l.tell))
	}
	return l.run(ctx)
}

// mode is the application in development mode.
type mode interface {
	pods
	end(ctx context.Context) error
	where() string
	// logs gives what the services log from now on, until ctx ends.
	logs(ctx context.Context, emit func(service, line string)) error
}

// development is the mode on a cluster.
type development struct {
	deploy.Development
	base session.Session
}

func (d development) end(ctx context.Context) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt) // a second Ctrl-C ends that, too
	defer stop()
	return d.End(ctx, d.base)
}

func (d development) where() string {
	return fmt.Sprintf("%s (Ctrl-C puts revision %d back)", d.Access.URL("http", config.LocalHost), d.Good)
}

func (d development) logs(ctx context.Context, emit func(service, line string)) error {
	of := func(p *corev1.Pod) string { return app.OfLabel(p.Labels["app"]) }
	q := podlog.Query{Namespace: d.Config.Namespace, Selector: app.Selector(app.Built()...), Since: time.Now(), Container: of}
	return podlog.Follow(ctx, d.Client, q, func(l podlog.Line) { emit(l.Container, l.Text) })
}

func (d development) exec(ctx context.Context, p kube.Process) error {
	p.Namespace = d.Config.Namespace
	return d.Access.Exec(ctx, p)
}

func (d development) pod(ctx context.Context, of app.Service) (string, error) {
	list, err := d.Client.CoreV1().Pods(d.Config.Namespace).List(ctx, metav1.ListOptions{LabelSelector: app.Selector(of)})
	if err != nil {
		return "", err
	}
	for i := range list.Items {
		if takes(&list.Items[i], of.Name, d.Images[of.Name]) {
			return list.Items[i].Name, nil
		}
	}
	if current, err := d.Current(ctx); err == nil && !current {
		return "", errOver
	}
	return "", errors.New("no pod of it runs")
}

// loop is one run of dev.
type loop struct {
	watcher interface {
		add(folder string)
		next(ctx context.Context) (began time.Time, err error)
	}
	say      func(format string, args ...any)
	tell     teller
	services []*service
	chart    tree
	deploy   func(context.Context) error
	begin    func(context.Context) (mode, error)
}

// run goes from deploying to watching and, where something cannot be brought to a pod, back again.
func (l *loop) run(ctx context.Context) (err error) {
	if _, err := l.scan(time.Time{}); err != nil {
		return err
	}
	if err := l.deploy(ctx); err != nil {
		return err
	}
	var in mode
	defer func() {
		if in == nil || errors.Is(err, errOver) {
			return
		}
		ended := in.end(context.WithoutCancel(ctx))
		if ended != nil {
			l.say("the application is still in development mode, which the next deploy or dev ends")
		}
		if ctx.Err() == nil {
			ended = errors.Join(err, ended)
		}
		err = ended
	}()
	for {
		if in == nil {
			if in, err = l.begin(ctx); err != nil {
				in = nil // begin has put the version back
				return err
			}
			l.say("watching %s: %s", strings.Join(l.folders(), ", "), in.where())
		}
		why, err := l.watch(ctx, in)
		if err != nil {
			return err
		}
		l.say("%s cannot be brought to a pod: deploying", named(why))
		for err = l.deploy(ctx); err != nil; err = l.deploy(ctx) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			l.say("%v\n  → %s\nthe next change is deployed", err, fault.Remedy(err))
			if _, err := l.next(ctx); err != nil {
				return err
			}
		}
		in = nil
	}
}

func (l *loop) folders() []string {
	var folders []string
	for _, s := range l.services {
		for _, synced := range s.Develop.Synced {
			folders = append(folders, filepath.ToSlash(filepath.Join(s.Folder, synced)))
		}
	}
	return folders
}

// watch serves what is saved until something is that cannot be brought to a pod, which it gives.
func (l *loop) watch(ctx context.Context, in mode) (why []string, err error) {
	g, ctx := errgroup.WithContext(ctx)
	for _, s := range l.services {
		g.Go(func() error { return s.keep(ctx, in) })
	}
	g.Go(func() error { return l.logs(ctx, in) })
	stop := errors.New("deploy")
	g.Go(func() error {
		for {
			var err error
			if why, err = l.next(ctx); err != nil {
				return err
			}
			if len(why) > 0 {
				return stop
			}
		}
	})
	if err := g.Wait(); !errors.Is(err, stop) {
		return nil, err
	}
	return why, nil
}

// logs shows what the services log.
func (l *loop) logs(ctx context.Context, in mode) error {
	for ctx.Err() == nil {
		err := in.logs(ctx, func(service, line string) { l.tell(service, plain, podlog.Render(line)) })
		if err == nil {
			return nil
		}
		select { // the cluster does not answer: what brings changes says so, too
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
	return ctx.Err()
}

// next waits for something to be saved, hands it to the services, and gives what of it none of them can take.
func (l *loop) next(ctx context.Context) (built []string, err error) {
	began, err := l.watcher.next(ctx)
	if err != nil {
		return nil, err
	}
	return l.scan(began)
}

// scan finds out what was saved.
func (l *loop) scan(began time.Time) (built []string, err error) {
	if built, err = l.chart.scan(l.watcher.add); err != nil {
		return nil, err
	}
	for _, s := range l.services {
		changed, err := s.tree.scan(l.watcher.add)
		if err != nil {
			return nil, err
		}
		for _, rel := range within(changed, s.Develop.Built) {
			built = append(built, path.Join(s.Folder, rel))
		}
		if synced := within(changed, s.Develop.Synced); len(synced) > 0 {
			s.take(synced, began)
		}
	}
	return built, nil
}
