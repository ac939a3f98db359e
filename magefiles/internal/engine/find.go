package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
)

const (
	// answerTimeout is how long an engine may take to give its version. It is a matter of milliseconds unless the
	// engine hangs.
	answerTimeout = 5 * time.Second
	// pluginMajor is the first major version of the client that builds with BuildKit only through its buildx plugin.
	pluginMajor = 23
	// oldestMajor is the first major version of client and engine whose BuildKit has all that the Dockerfiles use.
	oldestMajor = 20
)

// Find gives the first docker client on PATH that can build with BuildKit on an engine that answers. Its error wraps
// one of ErrNoClient, ErrNotRunning, ErrNoPermission, ErrNoBuilder and ErrSlowBuilder where one of them is the reason.
func Find(ctx context.Context, r run.Runner) (*Docker, error) {
	d, err := FindClient(ctx, r)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// FindClient gives a client together with ErrNoBuilder, good for everything except builds.
func FindClient(ctx context.Context, r run.Runner) (*Docker, error) {
	paths := clients(os.Getenv("PATH"))
	found, errs := make([]*Docker, len(paths)), make([]error, len(paths))
	at := FindEndpoint(ctx, r)
	var wg sync.WaitGroup
	for i, path := range paths {
		api, err := connect(r, path, at)
		if err != nil {
			return nil, fault.Wrap(err, fault.CodeEnvironment, at.Source+" names no engine", "correct it, or "+at.Leave())
		}
		found[i] = &Docker{API: api, Runner: r, CLI: path}
		wg.Go(func() { errs[i] = found[i].probe(ctx) })
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}

	var builderless *Docker
	var slow, reason error
	for i, err := range errs {
		switch {
		case err == nil:
			return found[i], nil
		case errors.Is(err, ErrNoBuilder) && builderless == nil:
			builderless = found[i]
		case errors.Is(err, ErrSlowBuilder):
			slow = err
		case reason == nil:
			reason = err
		}
	}
	switch {
	case slow != nil: // nothing is missing
		return nil, slow
	case builderless != nil:
		return builderless, unusable(ErrNoBuilder)
	case reason != nil:
		return nil, reason
	}
	return nil, unusable(ErrNoClient)
}

// clients gives the docker programs on a PATH, each once however many links lead to it.
func clients(path string) []string {
	var out []string
	seen := map[string]bool{}
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, "docker")
		info, err := os.Stat(file)
		if err != nil || info.IsDir() || info.Mode()&0o111 == 0 || !filepath.IsAbs(file) {
			continue
		}
		target, err := filepath.EvalSymlinks(file)
		if err == nil && !seen[target] {
			seen[target] = true
			out = append(out, file)
		}
	}
	return out
}

// probe fills in the versions and tells whether this client can be used.
func (d *Docker) probe(ctx context.Context) error {
	out, err := d.soon(ctx, "version", "--format", "{{json .}}")
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return hangs(answerTimeout)
		}
		if known := Explain(err); known != nil {
			return known
		}
		return fault.Wrap(err, fault.CodeEnvironment, "Docker cannot be used", "try `docker version`, or run "+setupCommand+" as root")
	}
	var v struct {
		Client, Server struct{ Version, Os, Arch string }
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		return fault.Wrap(err, fault.CodeEnvironment, d.CLI+" does not answer like a docker client", "take it off PATH, or run "+setupCommand)
	}
	d.ClientVersion, d.EngineVersion = v.Client.Version, v.Server.Version
	d.Platform = v.Server.Os + "/" + v.Server.Arch
	if Major(d.EngineVersion) < oldestMajor {
		return fault.New(fault.CodeEnvironment, fmt.Sprintf("the Docker engine is too old: version %q", d.EngineVersion), "install Docker 20.10 or later")
	}
	switch m := Major(d.ClientVersion); {
	case m < oldestMajor:
		return unusable(ErrNoBuilder)
	case m >= pluginMajor:
		switch _, err := d.soon(ctx, "buildx", "version"); {
		case errors.Is(err, context.DeadlineExceeded):
			return unusable(ErrSlowBuilder)
		case err != nil:
			return unusable(ErrNoBuilder)
		}
	}
	return nil
}

// soon gives the output of a command that is a matter of milliseconds.
func (d *Docker) soon(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	return d.Output(ctx, args...)
}

// Major gives the first number of a version, or 0.
func Major(version string) int {
	first, _, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(first)
	return n
}
