package deploy

import (
	"context"
	"errors"
	"os"
	"runtime"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/enginetest"
	"todo.local/magefiles/internal/source/scratch"
	"todo.local/magefiles/internal/ui"
)

// TestEngines runs the short life of a deployment on the machine's own Docker engine and on a current one.
func (a *App) TestEngines(ctx context.Context) error {
	return errors.Join(a.goTests(ctx, "Own Docker engine", engineTest("TestShortLife")...), a.testCurrentEngine(ctx))
}

// testCurrentEngine runs it on a current one. On the machine's own, the end-to-end tests go through all of it.
func (a *App) testCurrentEngine(ctx context.Context) error {
	own, err := engine.Find(ctx, a.runner)
	if err != nil {
		return err
	}
	if why := enginetest.Unfit(own, runtime.GOOS, os.Geteuid() == 0); why != "" {
		a.ui.Printf("! no second Docker engine was tested, only the machine's own, %s: %s\n", own.EngineVersion, why)
		return nil
	}
	if err := a.ui.Do("Current Docker", func(t *ui.Task) error {
		_, err := scratch.BuildCurrentDocker(ctx, t, a.cfg, a.runner)
		return err
	}); err != nil {
		return err
	}
	return a.goTests(ctx, "Current Docker engine", engineTest("TestCurrentEngine")...)
}

func engineTest(name string) []string {
	return []string{"-tags", "engines", "-timeout", "40m", "-v", "-run", "^" + name + "$", "./magefiles/e2e/..."}
}
