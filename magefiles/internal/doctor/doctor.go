// Package doctor looks at everything outside this project that a deploy depends on, and says what to do about what is
// not as it should be.
package doctor

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/host"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source/scratch"
	"todo.local/magefiles/internal/ui"
)

// checkTimeout is how long one check may take.
const checkTimeout = 10 * time.Second

// Level tells how bad a result is.
type Level int

// Levels of a Result.
const (
	OK      Level = iota
	Warning       // a deploy works, though not as well as it could, or may fail later
	Failure       // a deploy cannot work
)

// String gives the mark that stands before a result.
func (l Level) String() string { return [...]string{"✓", "!", "✗"}[l] }

// Result is what one check found. Remedy is empty where there is nothing to do.
type Result struct {
	Name   string
	Level  Level
	Detail string
	Remedy string
}

// checker is what the checks look at. They may run at the same time.
type checker struct {
	runner   run.Runner
	cfg      *config.Config
	host     host.Host
	registry string // URL of the container registry's API

	docker    *engine.Docker // nil where Docker cannot be used
	dockerErr error          // why
	info      engine.Info
	free      func(path string) (uint64, error) // bytes that may still be written where path is
	missing   func(context.Context) []string    // packages that building from source needs and this machine lacks
	built     func(context.Context) bool        // whether everything was built from source before
}

func newChecker(ctx context.Context, r run.Runner, cfg *config.Config) *checker {
	c := &checker{runner: r, cfg: cfg, host: host.Local, registry: dockerHub, free: freeBytes}
	c.missing = func(ctx context.Context) []string { return scratch.Missing(ctx, r) }
	c.built = func(ctx context.Context) bool { return c.docker != nil && scratch.New(cfg, c.docker).Built(ctx) }
	c.findDocker(ctx)
	return c
}

// findDocker asks for the engine once for all checks.
func (c *checker) findDocker(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	endpoint := engine.FindEndpoint(ctx, c.runner)
	d, err := find(ctx, c.runner, c.cfg, endpoint)
	if err == nil {
		c.info, err = d.Info(ctx)
	}
	if err == nil && endpoint.Place() == engine.BehindLoopback && c.cfg.Context() == "" && !isHere(c.info) {
		err = elsewhere(endpoint)
	}
	if err != nil {
		c.dockerErr = err
		return
	}
	c.docker = d
}

// Find gives the engine, without the checks of a deploy. One on another machine is refused, and not even asked, as it
// may be out of reach, unless no cluster is made on it.
func Find(ctx context.Context, r run.Runner, cfg *config.Config) (*engine.Docker, error) {
	return find(ctx, r, cfg, engine.FindEndpoint(ctx, r))
}

func find(ctx context.Context, r run.Runner, cfg *config.Config, e engine.Endpoint) (*engine.Docker, error) {
	if e.Place() == engine.OnAnotherMachine && cfg.Context() == "" {
		return nil, elsewhere(e)
	}
	return engine.Find(ctx, r)
}

// elsewhere is an engine that is of no use for a cluster, whose ports would be published and whose folders would be
// looked for on the engine's machine.
func elsewhere(e engine.Endpoint) error {
	return fault.New(fault.CodeEnvironment, fmt.Sprintf("the Docker engine is not this machine's: %s (%s); a cluster there could not be reached", e.Host, e.Source),
		e.Leave()+", or run this on that machine; with TODO_CLUSTER=context:NAME, which makes no cluster, any engine will do")
}

// isHere tells whether an engine that is reached over TCP is this machine's.
func isHere(i engine.Info) bool {
	name, err := os.Hostname()
	return i.OperatingSystem == "Docker Desktop" || err == nil && i.Name == name
}

type check struct {
	name string
	do   func(context.Context) Result // leaves Name empty
}

// needed are the checks that a deploy makes every time. They start no process.
func (c *checker) needed() []check {
	return []check{
		{"Docker", c.checkDocker},
		{"Processor, memory", c.checkMachine},
		{"Disk", c.checkDisk},
		{"Capabilities", c.checkCapabilities},
	}
}

func (c *checker) all() []check {
	return append(c.needed(), []check{
		{"Cgroups", c.checkCgroups},
		{"Kernel limits", c.checkLimits},
		{"Port for HTTP", func(ctx context.Context) Result { return c.checkPort(ctx, 80, c.cfg.HTTPPort, 8080) }},
		{"Port for HTTPS", func(ctx context.Context) Result { return c.checkPort(ctx, 443, c.cfg.HTTPSPort, 8443) }},
		{"Container registry", c.checkContainerRegistry},
		{"Build programs", c.checkBuildPrograms},
		{"Go modules", c.checkGoModules},
		{"Debian packages", c.checkDebianPackages},
		{"npm packages", c.checkNpm},
		{"Python packages", c.checkPip},
		{"Proxy", c.checkProxy},
		{"CA certificates", c.checkCABundle},
		{"Programs", c.checkPrograms},
		{"Cluster programs", c.checkClusterPrograms},
	}...)
}

// Run makes all checks at once and gives their results in a fixed order. It takes no longer than its slowest check, at
// most about twenty seconds.
func Run(ctx context.Context, r run.Runner, cfg *config.Config) []Result {
	c := newChecker(ctx, r, cfg)
	checks := c.all()
	results := make([]Result, len(checks))
	var wg sync.WaitGroup
	for i, k := range checks {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, checkTimeout)
			defer cancel()
			results[i] = k.do(ctx)
			results[i].Name = k.name
		})
	}
	wg.Wait()
	return results
}

// Check makes all checks, shows their results and fails where one of them did.
func Check(ctx context.Context, r run.Runner, cfg *config.Config, out *ui.UI) error {
	results := Run(ctx, r, cfg)
	show(out, results)
	return failed(results)
}

// Require makes the checks that a deploy depends on, in well under a second, and gives the engine that it may use. Its
// error is the first failure.
func Require(ctx context.Context, r run.Runner, cfg *config.Config) (*engine.Docker, error) {
	c := newChecker(ctx, r, cfg)
	if c.dockerErr != nil {
		return nil, c.dockerErr
	}
	for _, k := range c.needed() {
		if res := k.do(ctx); res.Level == Failure {
			return nil, fault.New(fault.CodeEnvironment, k.name+": "+res.Detail, res.Remedy)
		}
	}
	return c.docker, nil
}

// show prints results as a table, remedies below their lines.
func show(u *ui.UI, results []Result) {
	width := 0
	for _, r := range results {
		width = max(width, utf8.RuneCountInString(r.Name))
	}
	var b strings.Builder
	for _, r := range results {
		colour := [...]ui.Colour{ui.Green, ui.Yellow, ui.Red}[r.Level]
		fmt.Fprintf(&b, "%s %-*s  %s\n", u.Paint(colour, r.Level.String()), width, r.Name, r.Detail)
		for line := range strings.Lines(r.Remedy) {
			fmt.Fprintf(&b, "  %-*s  → %s\n", width, "", strings.TrimRight(line, "\n"))
		}
	}
	u.Printf("%s", b.String())
}

// failed is the error of a target that made these checks: nil unless one failed.
func failed(results []Result) error {
	var names []string
	var remedy string
	for _, r := range results {
		if r.Level == Failure {
			names = append(names, r.Name)
			if remedy == "" {
				remedy = r.Remedy
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fault.New(fault.CodeEnvironment, "this machine is not ready: "+strings.Join(names, ", "), remedy)
}

// unknown is the result of a check that only the engine could answer.
func unknown() Result {
	return Result{Level: Warning, Detail: "not known until Docker can be used"}
}
