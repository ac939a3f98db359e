package setup

import (
	"context"
	"errors"
	"strings"
	"time"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/host"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/source/scratch"
	"todo.local/magefiles/internal/ui"
)

// installEngine installs an engine where there is none.
func (s *setup) installEngine(ctx context.Context, t *ui.Task) error {
	if err := s.finishPackages(ctx, t); err != nil {
		return err
	}
	_, err := engine.FindClient(ctx, s.runner)
	lacksClient := errors.Is(err, engine.ErrNoClient)
	var missing []string
	if (lacksClient || errors.Is(err, engine.ErrNotRunning)) && s.dockerd() == "" && engine.FindEndpoint(ctx, s.runner).Source == "" {
		missing = append(missing, "docker.io")
	}
	if len(missing) == 0 && !lacksClient {
		t.Unchanged("installed already")
		return nil
	}
	if err := s.updateLists(ctx, t); err != nil {
		return err
	}
	if lacksClient { // a package of its own from Debian 13 on, within docker.io before
		if s.offered(ctx, "docker-cli") {
			missing = append(missing, "docker-cli")
		} else {
			missing = add(missing, "docker.io")
		}
	}
	return s.install(ctx, t, missing)
}

// finishPackages brings to its end what a killed setup left half installed: an engine that is unpacked and not
// configured looks as if it were installed.
func (s *setup) finishPackages(ctx context.Context, t *ui.Task) error {
	if len(s.record.Packages) == 0 {
		return nil
	}
	if half, err := run.Output(ctx, s.runner, "dpkg", "--audit"); err != nil || half == "" {
		return ctx.Err()
	}
	_, err := s.runner.Run(ctx, debianCommand(t, "dpkg", "--configure", "-a"))
	return fault.Wrap(err, fault.CodeEnvironment, "packages that were half installed cannot be configured", "`dpkg --audit` names them, `dpkg --configure -a` shows why")
}

// installTools installs the further packages.
func (s *setup) installTools(ctx context.Context, t *ui.Task) error {
	missing := s.packages(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if len(missing) == 0 {
		t.Unchanged("none is missing")
		return nil
	}
	if err := s.updateLists(ctx, t); err != nil {
		return err
	}
	return s.install(ctx, t, missing)
}

// updateLists brings apt's package lists up to date, once a run.
func (s *setup) updateLists(ctx context.Context, t *ui.Task) error {
	if s.updated {
		return nil
	}
	s.updated = true
	if err := s.apt(ctx, t, "update"); err != nil {
		if ctx.Err() != nil {
			return err
		}
		t.Note("%v; going on with the package lists as they are", err)
	}
	return nil
}

// dockerd gives the path of the engine's program, or nothing. Its folder may be missing from the PATH of a root shell.
func (s *setup) dockerd() string {
	for _, rel := range []string{"usr/bin/dockerd", "usr/sbin/dockerd", "usr/local/bin/dockerd", "usr/local/sbin/dockerd"} {
		if path := s.host.Path(rel); host.IsFile(path) {
			return path
		}
	}
	return ""
}

// offered tells whether apt can install a package.
func (s *setup) offered(ctx context.Context, name string) bool {
	out, err := run.Output(ctx, s.runner, "apt-cache", "policy", name)
	return err == nil && strings.Contains(out, "Candidate:") && !strings.Contains(out, "Candidate: (none)")
}

// install puts packages on record and installs them. A dpkg that was interrupted earlier, of which apt says what to do,
// is brought to its end.
func (s *setup) install(ctx context.Context, t *ui.Task, packages []string) error {
	s.record.Packages = add(s.record.Packages, packages...)
	if err := writeRecord(s.host, s.record); err != nil {
		return err
	}
	args := append([]string{"install", "--yes", "--no-install-recommends"}, packages...)
	err := s.apt(ctx, t, args...)
	var failed *run.Error
	if errors.As(err, &failed) && strings.Contains(failed.Output, "dpkg --configure -a") {
		if _, err = s.runner.Run(ctx, debianCommand(t, "dpkg", "--configure", "-a")); err == nil {
			err = s.apt(ctx, t, args...)
		}
	}
	if known := engine.Explain(err); known != nil {
		return known
	}
	if err != nil {
		return fault.Wrap(err, fault.CodeEnvironment, "packages could not be installed",
			"`apt-get install "+strings.Join(packages, " ")+"` shows why; behind a proxy, apt needs its own settings")
	}
	t.Result("installed %s", strings.Join(packages, " "))
	return nil
}

func (s *setup) apt(ctx context.Context, t *ui.Task, args ...string) error {
	// Another apt may be at work, as in the first minutes of a fresh machine: wait for it. A question would wait for
	// ever: keep the user's files.
	options := []string{"-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Options::=--force-confold"}
	_, err := s.runner.Run(ctx, debianCommand(t, "apt-get", append(options, args...)...))
	return err
}

// debianCommand is a command that installs packages: it asks nothing, and gets time to end cleanly where the run is
// interrupted.
func debianCommand(t *ui.Task, name string, args ...string) run.Cmd {
	return run.Cmd{
		Name: name, Args: args, Line: t.Line, Grace: time.Minute,
		Env: []string{"DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1", "LC_ALL=C.UTF-8"},
	}
}

// missingTools are the packages that this machine lacks for building images' bases itself. Where a container registry
// gives them, it needs none. Without Docker nothing is known about that yet.
func missingTools(ctx context.Context, t *ui.Task, s session.Session) []string {
	docker, err := engine.Find(ctx, s.Runner)
	if err != nil {
		return nil
	}
	src, _, err := source.Pick(ctx, t, s.Config, docker, scratch.New(s.Config, docker))
	if err != nil || src.Name() != config.ImagesSource {
		return nil
	}
	return scratch.Missing(ctx, s.Runner)
}
