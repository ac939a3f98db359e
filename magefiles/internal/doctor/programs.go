package doctor

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/words"
)

// checkPrograms gives the versions that a bug report needs.
func (c *checker) checkPrograms(ctx context.Context) Result {
	var found []string
	r := Result{}
	for _, p := range []struct {
		name, remedy string
		args         []string
	}{
		{"go", "install Go 1.26 or later", []string{"env", "GOVERSION"}},
		{"git", "install git", []string{"version"}},
	} {
		out, err := run.Output(ctx, c.runner, p.name, p.args...)
		if err != nil {
			r.Level, r.Remedy = Warning, p.remedy
			found = append(found, p.name+" does not answer")
			continue
		}
		found = append(found, strings.Replace(out, "git version", "git", 1))
	}
	if c.docker != nil {
		compose := "no docker compose (only compose.yaml needs it)"
		if out, err := c.docker.Output(ctx, "compose", "version", "--short"); err == nil {
			compose = "docker compose " + out
		}
		found = append(found, compose, "kernel "+c.info.KernelVersion)
	}
	r.Detail = strings.Join(found, ", ")
	return r
}

// checkBuildPrograms looks for what builds the cluster and the base images where no container registry answers.
func (c *checker) checkBuildPrograms(ctx context.Context) Result {
	if c.cfg.Images == config.ImagesRegistry {
		return Result{Detail: "not needed: TODO_IMAGES=registry"}
	}
	missing := c.missing(ctx)
	switch {
	case ctx.Err() != nil: // a program that was cut off looks like one that is missing
		return Result{Level: Warning, Detail: fmt.Sprintf("not known: they did not answer within %s", checkTimeout), Remedy: "try again when this machine is less busy"}
	case len(missing) == 0:
		return Result{Detail: "all there"}
	}
	r := Result{Level: Failure, Detail: "missing: " + strings.Join(missing, ", "), Remedy: asRoot}
	if c.cfg.Images == config.ImagesAuto {
		r.Level = Warning
		r.Detail += "; needed where no container registry answers"
	}
	return r
}

// checkClusterPrograms looks for programs that people use beside this project. None is needed: setup
// builds minikube where it is asked for.
func (c *checker) checkClusterPrograms(ctx context.Context) Result {
	var details []string
	r := Result{}
	for _, p := range []struct {
		name string
		args []string
	}{
		{"minikube", []string{"version", "--short"}},
		{"kubectl", []string{"version", "--client"}},
		{"helm", []string{"version", "--short"}},
	} {
		out, err := run.Output(ctx, c.runner, p.name, p.args...)
		version, _, _ := strings.Cut(strings.TrimPrefix(out, "Client Version: "), "\n")
		switch {
		case err == nil:
			details = append(details, p.name+" "+version)
		case p.name == "minikube" && c.cfg.Cluster == config.ClusterMinikube && errors.Is(err, exec.ErrNotFound):
			details = append(details, "minikube is this project's own, built where it is missing")
		case p.name == "minikube" && c.cfg.Cluster == config.ClusterMinikube:
			return Result{Level: Failure, Detail: "TODO_CLUSTER=minikube, and minikube does not answer: " + words.OneLine(err.Error()),
				Remedy: "mend it, or take it off PATH: then this project builds its own"}
		case errors.Is(err, exec.ErrNotFound):
			details = append(details, "no "+p.name+" (not needed)")
		default:
			details = append(details, p.name+" does not answer (not needed)")
		}
	}
	r.Detail = strings.Join(details, ", ")
	return r
}
