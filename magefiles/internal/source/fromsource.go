package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/pins"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/ui"
)

// fromSource builds everything on this machine, from package registries.
type fromSource struct {
	pins   *pins.Pins
	store  store
	docker *engine.Docker
	run    run.Runner
	env    []string // for the clients of package registries
}

func newFromSource(cfg *config.Config, d *engine.Docker) *fromSource {
	s := &fromSource{pins: pins.Load(), store: store{cfg.Cache}, docker: d, run: d.Runner}
	if cfg.CABundle != "" {
		s.env = []string{"SSL_CERT_FILE=" + cfg.CABundle, "PIP_CERT=" + cfg.CABundle}
	}
	return s
}

// Name is "source".
func (*fromSource) Name() string { return config.ImagesSource }

// ready tells what this machine lacks for building, before an hour is spent.
func (s *fromSource) ready(ctx context.Context) error {
	if runtime.GOOS != "linux" {
		return fault.New(fault.CodeEnvironment, "building without a container registry needs Linux", "set TODO_IMAGES=registry")
	}
	if missing := strings.Join(Missing(ctx, s.run), " "); missing != "" {
		return fault.New(fault.CodeEnvironment, "building without a container registry needs packages that are missing: "+missing,
			"run the target setup, or: apt-get install --no-install-recommends "+missing)
	}
	return nil
}

// log opens the file that keeps the whole output of building something. It replaces that of the last time.
func (s store) log(name string) (*os.File, error) {
	dir := filepath.Join(s.dir, "logs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, cacheFault(err)
	}
	f, err := os.Create(filepath.Join(dir, name+".log"))
	return f, cacheFault(err)
}

// logged runs a step with its output as the task's status and in a log file, which its error names. Failure is what to say where it fails.
func (s *fromSource) logged(t *ui.Task, name, failure string, step func(line func(string)) error) error {
	log, err := s.store.log(name)
	if err != nil {
		return err
	}
	defer log.Close()
	w := bufio.NewWriter(log)
	defer w.Flush()
	err = step(func(line string) {
		fmt.Fprintln(w, line)
		t.Line(line)
	})
	return buildFault(err, failure, "read "+log.Name()+"; a second run goes on where this one stopped")
}

// buildFault is what a failed step of building reaches the user as. Where the machine is to blame, such as a full disk or an engine that went away, it
// says that instead of what.
func buildFault(err error, what, remedy string) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if known := engine.Explain(err); known != nil {
		return known
	}
	return fault.Wrap(reason(err), fault.CodeBuild, what, remedy)
}

// reason shortens a failed command to the line that tells why: the command itself is too long for a line.
func reason(err error) error {
	var e *run.Error
	if errors.As(err, &e) {
		if why := run.Telling(e.Output); why != "" {
			return errors.New(why)
		}
	}
	return err
}
