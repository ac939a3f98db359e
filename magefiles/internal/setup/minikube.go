package setup

import (
	"context"
	"os/exec"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/source/scratch"
	"todo.local/magefiles/internal/ui"
)

// provideMinikube builds the program into the cache, where nobody has installed it and it is not there yet.
func provideMinikube(ctx context.Context, t *ui.Task, s session.Session) error {
	builder := scratch.New(s.Config, &engine.Docker{Runner: s.Runner})
	_, err := exec.LookPath("minikube")
	if err == nil || builder.BuiltMinikube() != "" {
		return nil
	}
	path, err := builder.MinikubeProgram(ctx, t)
	if err == nil {
		t.Result("ready; minikube is %s", path)
	}
	return err
}
