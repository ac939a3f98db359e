package scratch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/ui"
)

// kubectlAI are the commands of the module tools/kubectl-ai, by the names that they get.
var kubectlAI = []struct{ name, pkg string }{
	{"kubectl-ai", "github.com/GoogleCloudPlatform/kubectl-ai/cmd"},
	{"kubectl", "./kubectl"},
}

// KubectlAI gives the folder of kubectl-ai, and of the kubectl that it calls. Where the cache lacks them they are built
// from the module in tools/kubectl-ai.
func KubectlAI(ctx context.Context, t *ui.Task, cfg *config.Config, r run.Runner) (dir string, err error) {
	s := store{cfg.Cache}
	b := builder{run: r, store: s}
	if cfg.CABundle != "" {
		b.env = []string{"SSL_CERT_FILE=" + cfg.CABundle}
	}
	module := filepath.Join(cfg.Root, "tools", "kubectl-ai")
	inputs, version := []any{recipeVersion, arch}, ""
	for _, name := range []string{"go.mod", "go.sum", filepath.Join("kubectl", "main.go")} {
		raw, err := os.ReadFile(filepath.Join(module, name))
		if err != nil {
			return "", err
		}
		inputs = append(inputs, string(raw))
		if name == "go.mod" {
			version = pinned(string(raw))
		}
	}
	key := hash(inputs...)
	s.touch(programsKind, "kubectl-ai", key)
	start := time.Now()
	dir, built, err := s.get(ctx, t, "kubectl-ai", key, func(dir string) error { return b.kubectlAI(ctx, t, module, version, dir) })
	switch {
	case err != nil:
		return "", err
	case built:
		t.Result("built in %s", time.Since(start).Round(time.Second))
	default:
		t.Unchanged("built before")
	}
	return dir, nil
}

var required = regexp.MustCompile(`(?m)^\s*(?:require )?github\.com/GoogleCloudPlatform/kubectl-ai v(\S+)`)

// pinned is the version of kubectl-ai that a go.mod requires.
func pinned(goMod string) string {
	if m := required.FindStringSubmatch(goMod); m != nil {
		return m[1]
	}
	return "unknown"
}

func (b builder) kubectlAI(ctx context.Context, t *ui.Task, module, version, dir string) (err error) {
	log, err := b.store.log("kubectl-ai")
	if err != nil {
		return err
	}
	defer func() { err = log.close(err) }()
	for _, p := range kubectlAI {
		// The module's own requirements are the pins: the compiler may not choose others.
		cmd := b.goCmd(program{}, module, "build", "-mod=readonly", "-v", "-trimpath", "-buildvcs=false", "-ldflags", strip+" -X main.version="+version,
			"-o", filepath.Join(dir, p.name), p.pkg)
		compiled := 0
		cmd.Line = func(line string) {
			log.line(line)
			compiled++
			t.Status("%s: %d packages compiled", p.name, compiled)
		}
		_, err := b.run.Run(ctx, cmd)
		if info, missing := os.Stat(filepath.Join(dir, p.name)); err == nil && (missing != nil || info.Size() == 0) {
			err = errors.New("the compiler left no " + p.name)
		}
		if err != nil {
			return buildFault(err, p.name+" did not build", log.remedy())
		}
	}
	return nil
}
