package devtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/deploy"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/image"
	"todo.local/magefiles/internal/operate"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/session"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

// Browser uses the deployed application in a real browser, through its ingress. Its pages' processor may be so many
// times slower than this machine's. The pictures that it takes go to .cache/browser.
func Browser(ctx context.Context, s session.Session, slowdown int) error {
	if slowdown < 1 {
		return fault.New(fault.CodeInput, fmt.Sprintf("-slowdown=%d is no slowdown", slowdown), "name how many times slower the browser is to be, such as 6")
	}
	return inBrowser(ctx, s, "application", "browser", "CPU_SLOWDOWN="+strconv.Itoa(slowdown))
}

// Lighthouse has the deployed application's pages judged. The scores go to .cache/lighthouse.
func Lighthouse(ctx context.Context, s session.Session) error {
	return inBrowser(ctx, s, "lighthouse", "lighthouse")
}

// KeepOpen keeps a page of the deployed application open until ctx ends, and has the session's UI print, a JSON object
// a line, what becomes of it.
func KeepOpen(ctx context.Context, s session.Session) error {
	return inBrowser(ctx, s, "develop", "develop")
}

// Dashboard serves the dashboard of the deployed application and uses it in a real browser. The pictures go to
// .cache/dashboard.
func Dashboard(ctx context.Context, s session.Session) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	opened, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- operate.Dashboard(ctx, s, 0, Unit, func(url string) { opened <- url })
	}()
	select {
	case err := <-ended:
		return err
	case url := <-opened:
		err := inBrowser(ctx, s, "dashboard", "dashboard", "DASHBOARD_URL="+url)
		cancel()
		return errors.Join(err, <-ended)
	}
}

// inBrowser runs one of Playwright's projects. What it leaves goes to a folder below .cache.
func inBrowser(ctx context.Context, base session.Session, project, folder string, env ...string) error {
	s, err := base.OpenSource(ctx)
	if err != nil {
		return err
	}
	return s.UI.Do("Browser tests", func(t *ui.Task) error {
		access, err := s.ChooseProvider(ctx).Access(ctx)
		if err != nil {
			return err
		}
		bases, err := s.Images.Bases(ctx, t)
		if err != nil {
			return err
		}
		return playwright(ctx, s, t, access, bases, project, filepath.Join(s.Config.State, folder), env)
	})
}

func playwright(ctx context.Context, s session.Source, t *ui.Task, access cluster.Access, bases source.Bases, project, output string, env []string) error {
	ref, err := deploy.Builder(s.Engine).Build(ctx, t, browserImage(s.Config, bases))
	if err != nil {
		return err
	}
	ip, _, err := net.SplitHostPort(access.HTTP)
	if err != nil {
		return err
	}
	host := s.Config.Host
	if ip == cluster.Loopback {
		host = config.LocalHost // browsers trust it without TLS
	}
	// The network of the host, where the ingress listens on the loopback address alone.
	args := []string{"create", "--init", "--network", "host"}
	for _, setting := range append(env, "BASE_URL="+access.URL("http", host), "HOST_RESOLVER_RULES=MAP "+host+" "+ip) {
		args = append(args, "--env", setting)
	}
	container, err := s.Docker.Output(ctx, append(args, ref, "--project="+project)...)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		_, _ = s.Docker.Output(ctx, "rm", "--force", container)
	}()
	_, failed := s.Docker.Run(ctx, run.Cmd{Args: []string{"start", "--attach", container}, Line: toUI(s.Session), Grace: 15 * time.Second})
	if ctx.Err() != nil {
		return failed
	}
	if err := os.RemoveAll(output); err != nil {
		return err
	}
	if _, err := s.Docker.Output(ctx, "cp", container+":/output", output); err != nil {
		return err
	}
	if failed != nil {
		return fault.Wrap(failed, fault.CodeFailed, "the browser tests failed", "their output is above, pictures are in "+s.Config.Relative(output)+"/failures")
	}
	t.Result("passed; what came of it is in %s", s.Config.Relative(output))
	return nil
}

func browserImage(cfg *config.Config, b source.Bases) image.Spec {
	return image.Spec{Name: "todo-browser", Dir: filepath.Join(cfg.Root, app.Frontend.Folder, "e2e"), Args: map[string]string{string(app.Node): b.Node}}
}
