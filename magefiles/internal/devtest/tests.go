// Package devtest runs the project's own tests and benches, as targets call them.
package devtest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/deploy"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/secrets"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

// e2eCluster is the cluster of the end-to-end tests, never the one that deploy uses.
const e2eCluster = "todo-e2e"

// All runs every test, the quick ones first.
func All(ctx context.Context, s session.Session) error {
	for _, test := range []func(context.Context, session.Session) error{testQuick, Images, E2e, Minikube, testCurrentEngine} {
		if err := test(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// testQuick runs what needs no cluster: Lint, Unit and Chart, whose own tests are among the unit tests.
func testQuick(ctx context.Context, s session.Session) error {
	if err := LintCharts(ctx, s); err != nil {
		return err
	}
	return testUnit(ctx, s, func(_ *ui.Task, show func(string)) error {
		return errors.Join(lint(ctx, s, show), goTest(ctx, s, show, "./magefiles/internal/..."))
	})
}

// Lint checks the automation's code and the workflows.
func Lint(ctx context.Context, s session.Session) error {
	return s.UI.Do("Lint", func(*ui.Task) error { return lint(ctx, s, toUI(s)) })
}

func lint(ctx context.Context, s session.Session, show func(string)) error {
	vet := []string{"vet", "-tags", everyTag, "./..."}
	for _, check := range []struct{ args, env []string }{
		{vet, []string{"GOOS=darwin", "GOARCH=arm64"}}, // it compiles for the other system and processor, tests included
		{[]string{"tool", "-modfile=tools/golangci-lint/go.mod", "golangci-lint", "run", "./..."}, nil},
		{[]string{"tool", "actionlint"}, nil},
	} {
		if _, err := s.Runner.Run(ctx, run.Cmd{Name: "go", Args: check.args, Env: check.env, Dir: s.Config.Root, Line: show}); err != nil {
			what := strings.Join(append(append(slices.Clone(check.env), "go"), check.args...), " ")
			return fault.Wrap(err, fault.CodeFailed, what+" complains", "its output is above")
		}
	}
	return deadCode(ctx, s, show)
}

// Unit runs the automation's unit tests here, and those of the application's halves in containers.
func Unit(ctx context.Context, s session.Session) error {
	return testUnit(ctx, s, func(_ *ui.Task, show func(string)) error { return goTest(ctx, s, show, "./magefiles/internal/...") })
}

// testUnit runs the parts of the unit tests side by side: each waits as often as it computes.
func testUnit(ctx context.Context, base session.Session, automation part) error {
	s, err := base.OpenSource(ctx)
	if err != nil {
		return err
	}
	if err := sameOpenAPI(s.Config); err != nil {
		return err
	}
	return s.UI.Do("Tests", func(t *ui.Task) error {
		bases := sync.OnceValues(func() (bases source.Bases, err error) {
			err = t.Do("base images", func(t *ui.Task) error {
				bases, err = s.Images.Bases(ctx, t)
				return err
			})
			return bases, err
		})
		parts := map[string]part{"automation": automation}
		for _, service := range app.Built() {
			if service.Tests == "" {
				continue
			}
			parts[service.Name] = func(t *ui.Task, show func(string)) error {
				b, err := bases()
				if err != nil {
					return err
				}
				return testService(ctx, s, t, show, service, b)
			}
		}
		return sideBySide(base, t, parts)
	})
}

// part is one of several tests that run side by side. It hands over every line that its commands print.
type part func(t *ui.Task, show func(string)) error

// sideBySide runs tests at once and lets each of them end, so that one run tells everything that is wrong. The output
// of each is shown in one piece.
func sideBySide(s session.Session, t *ui.Task, parts map[string]part) error {
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
			s.UI.Printf("%s", lines.String())
			errs = append(errs, err)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// sameOpenAPI compares the API description that the frontend's client is generated from with the backend's: its image
// is built without the other half.
func sameOpenAPI(cfg *config.Config) error {
	var docs [2][]byte
	for i, half := range []app.Service{app.Backend, app.Frontend} {
		var err error
		if docs[i], err = os.ReadFile(filepath.Join(cfg.Root, half.Folder, "openapi.json")); err != nil {
			return err
		}
	}
	if !bytes.Equal(docs[0], docs[1]) {
		return fault.New(fault.CodeFailed, "frontend/openapi.json is not the backend's", "copy backend/openapi.json over it and run: npm run api:generate in frontend/")
	}
	return nil
}

// testService builds the stage of a service's image whose command are its tests, and runs it. Those of a service that
// reads DATABASE_URL find a PostgreSQL by TEST_DATABASE_URL, in a network of their own.
func testService(ctx context.Context, s session.Source, t *ui.Task, show func(string), service app.Service, b source.Bases) error {
	if !slices.Contains(service.Secrets, secrets.DatabaseURL) {
		return runTests(ctx, s, t, show, service, b)
	}
	name := s.Config.ClusterName + "-" + service.Name + "-test"
	clean := func(ctx context.Context) {
		_, _ = s.Docker.Output(ctx, "rm", "--force", "--volumes", name)
		_, _ = s.Docker.Output(ctx, "network", "rm", name)
	}
	clean(ctx) // a run that was killed may have left them
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		clean(ctx)
	}()
	if _, err := s.Docker.Output(ctx, "network", "create", name); err != nil {
		return err
	}
	// The password guards a database that lives for this test. What it writes need not outlive a power cut.
	if _, err := s.Docker.Output(ctx, "run", "--detach", "--name", name, "--network", name, "--network-alias", "database",
		"--env", "POSTGRES_USER=test", "--env", "POSTGRES_PASSWORD=test", "--env", "POSTGRES_DB=test", b.Postgres,
		"postgres", "-c", "fsync=off", "-c", "full_page_writes=off"); err != nil {
		return err
	}
	return runTests(ctx, s, t, show, service, b, "--network", name, "--env", "TEST_DATABASE_URL=postgresql://test:test@database:5432/test")
}

func runTests(ctx context.Context, s session.Source, t *ui.Task, show func(string), service app.Service, b source.Bases, options ...string) error {
	spec := deploy.ImageOf(s.Config, service, b)
	spec.Target = service.Tests
	ref, err := deploy.Builder(s.Engine).Build(ctx, t, spec)
	if err != nil {
		return err
	}
	_, err = s.Docker.Run(ctx, run.Cmd{
		Args:  append(append([]string{"run", "--rm", "--init", "--env", "NO_COLOR=1"}, options...), ref),
		Line:  show,
		Grace: 15 * time.Second,
	})
	return fault.Wrap(err, fault.CodeFailed, "the tests of "+service.Name+" failed", "their output is above")
}

// Chart lints the charts and checks what they render.
func Chart(ctx context.Context, s session.Session) error {
	if err := LintCharts(ctx, s); err != nil {
		return err
	}
	return goTests(ctx, s, "What the charts render", "./magefiles/internal/release")
}

// minikubeTest is the end-to-end test that is a target of its own.
const minikubeTest = "^TestMinikube$"

// E2e runs the end-to-end tests, which call the targets as a user does.
func E2e(ctx context.Context, s session.Session) error {
	return goTests(ctx, s, "End to end", "-tags", "e2e", "-timeout", "60m", "-v", "-skip", minikubeTest, "./magefiles/e2e/...")
}

// Minikube goes through the life of a deployment in a real minikube, on a profile of its own.
func Minikube(ctx context.Context, s session.Session) error {
	return goTests(ctx, s, "Minikube", "-tags", "e2e", "-timeout", "40m", "-v", "-run", minikubeTest, "./magefiles/e2e/...")
}

// Soak ends many deploys in the middle, on a cluster of its own.
func Soak(ctx context.Context, s session.Session) error {
	return goTests(ctx, s, "Soak", "-tags", "soak", "-timeout", "60m", "-v", "-run", "TestSoak", "./magefiles/e2e/...")
}

// Slow uses the application in a browser, over and over, where everything is slow, on a cluster of its own.
func Slow(ctx context.Context, s session.Session) error {
	return goTests(ctx, s, "Slow", "-tags", "soak", "-timeout", "4h", "-v", "-run", "TestSlow", "./magefiles/e2e/...")
}

// Worlds has clusters fail to be made in every way that can be provoked.
// It also deploys where registries answer, through a proxy that inspects TLS.
func Worlds(ctx context.Context, s session.Session) error {
	return goTests(ctx, s, "Worlds", "-tags", "worlds", "-timeout", "60m", "-v", "-run", "Birth|World", "./magefiles/e2e/...")
}

// Bench measures the targets against scripts that do the same, on a cluster of its own, and renews docs/bench.svg.
func Bench(ctx context.Context, s session.Session) error {
	return goTests(ctx, s, "Bench", "-tags", "bench", "-timeout", "60m", "-v", "-run", "TestBench", "./magefiles/e2e/...")
}

// goTests is one target's go test.
func goTests(ctx context.Context, s session.Session, name string, args ...string) error {
	return s.UI.Do(name, func(t *ui.Task) error {
		err := goTest(ctx, s, toUI(s), args...)
		if err == nil {
			t.Result("passed")
		}
		return err
	})
}

func goTest(ctx context.Context, s session.Session, show func(string), args ...string) error {
	var seen failures
	_, err := s.Runner.Run(ctx, run.Cmd{
		Name: "go", Args: append([]string{"test", "-count", "1"}, args...), Dir: s.Config.Root,
		Env: []string{"TODO_CLUSTER_NAME=" + e2eCluster},
		Line: func(line string) {
			seen.line(line)
			show(line)
		},
		Grace: 2 * time.Minute, // the end-to-end tests remove their cluster
	})
	var failed *run.Error
	if errors.As(err, &failed) && failed.Code == 1 {
		show(seen.again())
		return fault.New(fault.CodeFailed, "failed: "+cmp.Or(strings.Join(seen.tests(), ", "), "go test "+strings.Join(args, " ")), "the output is above")
	}
	return err
}

// toUI shows a line of a command's output as it comes.
func toUI(s session.Session) func(string) {
	return func(line string) { s.UI.Printf("%s\n", line) }
}
