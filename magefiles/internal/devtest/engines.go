package devtest

import (
	"context"
	"errors"
	"os"
	"runtime"

	"todo.local/magefiles/internal/engine"
	"todo.local/magefiles/internal/engine/enginetest"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/source/scratch"
	"todo.local/magefiles/internal/ui"
)

// Engines runs the short life of a deployment on the machine's own Docker engine and on a current one.
func Engines(ctx context.Context, s session.Session) error {
	return errors.Join(goTests(ctx, s, "Own Docker engine", engineTest("TestShortLife")...), testCurrentEngine(ctx, s))
}

// testCurrentEngine runs it on a current one. On the machine's own, the end-to-end tests go through all of it.
func testCurrentEngine(ctx context.Context, s session.Session) error {
	own, err := engine.Find(ctx, s.Runner)
	if err != nil {
		return err
	}
	if why := enginetest.Unfit(own, runtime.GOOS, os.Geteuid() == 0); why != "" {
		s.UI.Printf("! no second Docker engine was tested, only the machine's own, %s: %s\n", own.EngineVersion, why)
		return nil
	}
	if err := s.UI.Do("Current Docker", func(t *ui.Task) error {
		_, err := scratch.BuildCurrentDocker(ctx, t, s.Config, s.Runner)
		return err
	}); err != nil {
		return err
	}
	return goTests(ctx, s, "Current Docker engine", engineTest("TestCurrentEngine")...)
}

func engineTest(name string) []string {
	return []string{"-tags", "engines", "-timeout", "40m", "-v", "-run", "^" + name + "$", "./magefiles/e2e/..."}
}
