package setup

import (
	"context"
	"os/exec"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/source/scratch"
	"todo.local/magefiles/internal/ui"
)

// provideMinikube builds the program into the cache, where nobody has installed it.
func provideMinikube(ctx context.Context, t *ui.Task, s session.Session) error {
	if path, err := exec.LookPath("minikube"); err == nil {
		t.Unchanged("%s", path)
		return nil
	}
	_, err := scratch.New(s.Config, &engine.Docker{Runner: s.Runner}).MinikubeProgram(ctx, t)
	return err
}
