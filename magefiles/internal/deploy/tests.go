package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/image"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/smoke"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

// e2eCluster is the cluster of the end-to-end tests, never the one that deploy uses.
const e2eCluster = "todo-e2e"

// TestAll runs every test, the quick ones first.
func (a *App) TestAll(ctx context.Context) error {
	for _, test := range []func(context.Context) error{a.testQuick, a.TestImages, a.TestE2e, a.testCurrentEngine} {
		if err := test(ctx); err != nil {
			return err
		}
	}
	return nil
}

// testQuick runs what needs no cluster: TestLint, TestUnit and TestChart, whose own tests are among the unit tests.
func (a *App) testQuick(ctx context.Context) error {
	if err := a.LintCharts(ctx); err != nil {
		return err
	}
	return a.testUnit(ctx, func(t *ui.Task, print func(string)) error {
		return errors.Join(a.lint(ctx, print), a.goTest(ctx, print, "./magefiles/internal/..."))
	})
}

// TestLint checks the automation's code and the workflows.
func (a *App) TestLint(ctx context.Context) error {
	return a.ui.Do("Lint", func(t *ui.Task) error { return a.lint(ctx, a.print) })
}

func (a *App) lint(ctx context.Context, print func(string)) error {
	for _, args := range [][]string{
		{"vet", "-tags", "e2e bench soak worlds engines", "./..."},
		{"tool", "staticcheck", "-tags", "e2e bench soak worlds engines", "./..."},
		{"tool", "actionlint"},
	} {
		if _, err := a.runner.Run(ctx, run.Cmd{Name: "go", Args: args, Dir: a.cfg.Root, Line: print}); err != nil {
			return fault.Wrap(err, fault.CodeFailed, "go "+strings.Join(args[:2], " ")+" complains", "its output is above")
		}
	}
	return nil
}

// TestUnit runs the automation's unit tests here, and those of the application's halves in containers.
func (a *App) TestUnit(ctx context.Context) error {
	return a.testUnit(ctx, func(t *ui.Task, print func(string)) error { return a.goTest(ctx, print, "./magefiles/internal/...") })
}

// testUnit runs the three parts of the unit tests side by side: each waits as often as it computes.
func (a *App) testUnit(ctx context.Context, automation part) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	if err := a.sameOpenAPI(); err != nil {
		return err
	}
	return a.ui.Do("Tests", func(t *ui.Task) error {
		bases := sync.OnceValues(func() (bases source.Bases, err error) {
			err = t.Do("base images", func(t *ui.Task) error {
				bases, err = a.source.Bases(ctx, t)
				return err
			})
			return bases, err
		})
		return a.sideBySide(t, map[string]part{
			"automation": automation,
			"backend": func(t *ui.Task, print func(string)) error {
				b, err := bases()
				if err != nil {
					return err
				}
				return a.testBackend(ctx, t, print, b)
			},
			"frontend": func(t *ui.Task, print func(string)) error {
				b, err := bases()
				if err != nil {
					return err
				}
				return a.testImage(ctx, t, print, a.frontendImage(b))
			},
		})
	})
}

// part is one of several tests that run side by side. It hands over every line that its commands print.
type part func(t *ui.Task, print func(string)) error

// sideBySide runs tests at once and lets each of them end, so that one run tells everything that is wrong. The output of each is shown in one piece.
func (a *App) sideBySide(t *ui.Task, parts map[string]part) error {
	var mu sync.Mutex
	var errs []error
	var wg sync.WaitGroup
	for name, test := range parts {
		wg.Go(func() {
			var lines strings.Builder // a command's two streams come one line at a time
			err := t.Do(name, func(t *ui.Task) error {
				err := test(t, func(line string) {
					lines.WriteString(line + "\n")
					t.Line(line)
				})
				if err == nil {
					t.Result("passed")
				}
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			a.ui.Printf("%s", lines.String())
			errs = append(errs, err)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// sameOpenAPI compares the API description that the frontend's client is generated from with the backend's: its image is built without the other half.
func (a *App) sameOpenAPI() error {
	var docs [2][]byte
	for i, half := range []string{"backend", "frontend"} {
		var err error
		if docs[i], err = os.ReadFile(filepath.Join(a.cfg.Root, half, "openapi.json")); err != nil {
			return err
		}
	}
	if !bytes.Equal(docs[0], docs[1]) {
		return fault.New(fault.CodeFailed, "frontend/openapi.json is not the backend's", "copy backend/openapi.json over it and run: npm run api:generate in frontend/")
	}
	return nil
}

// testBackend runs the backend's tests against a PostgreSQL in a container of its own network.
func (a *App) testBackend(ctx context.Context, t *ui.Task, print func(string), bases source.Bases) error {
	name := a.cfg.ClusterName + "-backend-test"
	clean := func(ctx context.Context) {
		_, _ = a.docker.Output(ctx, "rm", "--force", "--volumes", name)
		_, _ = a.docker.Output(ctx, "network", "rm", name)
	}
	clean(ctx) // a run that was killed may have left them
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		clean(ctx)
	}()
	if _, err := a.docker.Output(ctx, "network", "create", name); err != nil {
		return err
	}
	// The password guards a database that lives for this test, in a network of its own. What it writes need not outlive a power cut.
	if _, err := a.docker.Output(ctx, "run", "--detach", "--name", name, "--network", name, "--network-alias", "database",
		"--env", "POSTGRES_USER=test", "--env", "POSTGRES_PASSWORD=test", "--env", "POSTGRES_DB=test", bases.Postgres,
		"postgres", "-c", "fsync=off", "-c", "full_page_writes=off"); err != nil {
		return err
	}
	return a.testImage(ctx, t, print, a.backendImage(bases), "--network", name, "--env", "TEST_DATABASE_URL=postgresql://test:test@database:5432/test")
}

// testImage builds the test stage of an image and runs it; its command is the tests.
func (a *App) testImage(ctx context.Context, t *ui.Task, print func(string), s image.Spec, options ...string) error {
	s.Target = "test"
	ref, err := a.builder().Build(ctx, t, s)
	if err != nil {
		return err
	}
	_, err = a.docker.Run(ctx, run.Cmd{
		Args:  append(append([]string{"run", "--rm", "--init", "--env", "NO_COLOR=1"}, options...), ref),
		Line:  print,
		Grace: 15 * time.Second,
	})
	return fault.Wrap(err, fault.CodeFailed, "the tests of "+s.Name+" failed", "their output is above")
}

// TestChart lints the charts and checks what they render.
func (a *App) TestChart(ctx context.Context) error {
	if err := a.LintCharts(ctx); err != nil {
		return err
	}
	return a.goTests(ctx, "What the charts render", "./magefiles/internal/release")
}

// TestSmoke uses the deployed application as a user would.
func (a *App) TestSmoke(ctx context.Context) error {
	return a.onCluster(ctx, func(t *ui.Task, p cluster.Provider) error {
		access, err := p.Access(ctx)
		if err != nil {
			return err
		}
		client, err := access.Client()
		if err != nil {
			return err
		}
		return a.smoke(ctx, t, client, access, smoke.Run)
	})
}

// TestE2e runs the end-to-end tests, which call the targets as a user does.
func (a *App) TestE2e(ctx context.Context) error {
	return a.goTests(ctx, "End to end", "-tags", "e2e", "-timeout", "60m", "-v", "./magefiles/e2e/...")
}

// TestSoak ends many deploys in the middle, on a cluster of its own.
func (a *App) TestSoak(ctx context.Context) error {
	return a.goTests(ctx, "Soak", "-tags", "soak", "-timeout", "60m", "-v", "-run", "TestSoak", "./magefiles/e2e/...")
}

// TestSlow uses the application in a browser, over and over, where everything is slow, on a cluster of its own.
func (a *App) TestSlow(ctx context.Context) error {
	return a.goTests(ctx, "Slow", "-tags", "soak", "-timeout", "4h", "-v", "-run", "TestSlow", "./magefiles/e2e/...")
}

// TestWorlds has clusters fail to be made in every way that can be provoked.
func (a *App) TestWorlds(ctx context.Context) error {
	return a.goTests(ctx, "Worlds", "-tags", "worlds", "-timeout", "60m", "-v", "-run", "Birth", "./magefiles/e2e/...")
}

// Bench measures the targets against scripts that do the same, on a cluster of its own, and renews docs/bench.svg.
func (a *App) Bench(ctx context.Context) error {
	return a.goTests(ctx, "Bench", "-tags", "bench", "-timeout", "60m", "-v", "-run", "TestBench", "./magefiles/e2e/...")
}

// goTests is one target's go test.
func (a *App) goTests(ctx context.Context, name string, args ...string) error {
	return a.ui.Do(name, func(t *ui.Task) error {
		err := a.goTest(ctx, a.print, args...)
		if err == nil {
			t.Result("passed")
		}
		return err
	})
}

func (a *App) goTest(ctx context.Context, print func(string), args ...string) error {
	_, err := a.runner.Run(ctx, run.Cmd{
		Name: "go", Args: append([]string{"test", "-count", "1"}, args...), Dir: a.cfg.Root,
		Env:   []string{"TODO_CLUSTER_NAME=" + e2eCluster},
		Line:  print,
		Grace: 2 * time.Minute, // the end-to-end tests remove their cluster
	})
	var failed *run.Error
	if errors.As(err, &failed) && failed.Code == 1 {
		return fault.New(fault.CodeFailed, fmt.Sprintf("tests failed: go test %s", strings.Join(args, " ")), "their output is above")
	}
	return err
}

func (a *App) print(line string) { a.ui.Printf("%s\n", line) }
