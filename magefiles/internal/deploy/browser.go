package deploy

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"todo.local/magefiles/internal/cluster"
	"todo.local/magefiles/internal/config"
	"todo.local/magefiles/internal/fault"
	"todo.local/magefiles/internal/image"
	"todo.local/magefiles/internal/run"
	"todo.local/magefiles/internal/source"
	"todo.local/magefiles/internal/ui"
)

// TestBrowser uses the deployed application in a real browser, through its ingress. Its pages' processor may be so many
// times slower than this machine's. The pictures that it takes go to .cache/browser.
func (a *App) TestBrowser(ctx context.Context, slowdown int) error {
	if slowdown < 1 {
		return fault.New(fault.CodeInput, fmt.Sprintf("-slowdown=%d is no slowdown", slowdown), "name how many times slower the browser is to be, such as 6")
	}
	return a.inBrowser(ctx, "application", "browser", "CPU_SLOWDOWN="+strconv.Itoa(slowdown))
}

// Lighthouse has the deployed application's pages judged. The scores go to .cache/lighthouse.
func (a *App) Lighthouse(ctx context.Context) error {
	return a.inBrowser(ctx, "lighthouse", "lighthouse")
}

// inBrowser runs one of Playwright's projects. What it leaves goes to a folder below .cache.
func (a *App) inBrowser(ctx context.Context, project, folder string, env ...string) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	return a.ui.Do("Browser tests", func(t *ui.Task) error {
		access, err := a.provider(ctx).Access(ctx)
		if err != nil {
			return err
		}
		bases, err := a.source.Bases(ctx, t)
		if err != nil {
			return err
		}
		return a.playwright(ctx, t, access, bases, project, filepath.Join(a.cfg.State, folder), env)
	})
}

func (a *App) playwright(ctx context.Context, t *ui.Task, access cluster.Access, bases source.Bases, project, output string, env []string) error {
	ref, err := a.builder().Build(ctx, t, a.browserImage(bases))
	if err != nil {
		return err
	}
	ip, _, err := net.SplitHostPort(access.HTTP)
	if err != nil {
		return err
	}
	host := a.cfg.Host
	if ip == loopback {
		host = config.LocalHost // browsers trust it without TLS
	}
	// The network of the host, where the ingress listens on the loopback address alone.
	args := []string{"create", "--init", "--network", "host"}
	for _, setting := range append(env, "BASE_URL="+address("http", host, access), "HOST_RESOLVER_RULES=MAP "+host+" "+ip) {
		args = append(args, "--env", setting)
	}
	container, err := a.docker.Output(ctx, append(args, ref, "--project="+project)...)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		_, _ = a.docker.Output(ctx, "rm", "--force", container)
	}()
	_, failed := a.docker.Run(ctx, run.Cmd{Args: []string{"start", "--attach", container}, Line: a.print, Grace: 15 * time.Second})
	if ctx.Err() != nil {
		return failed
	}
	if err := os.RemoveAll(output); err != nil {
		return err
	}
	if _, err := a.docker.Output(ctx, "cp", container+":/output", output); err != nil {
		return err
	}
	if failed != nil {
		return fault.Wrap(failed, fault.CodeFailed, "the browser tests failed", "their output is above, pictures are in "+relative(a.cfg.Root, output)+"/failures")
	}
	t.Result("passed; what came of it is in %s", relative(a.cfg.Root, output))
	return nil
}

func (a *App) browserImage(b source.Bases) image.Spec {
	return image.Spec{Name: "todo-browser", Dir: filepath.Join(a.cfg.Root, "frontend", "e2e"), Args: map[string]string{"NODE_IMAGE": b.Node}}
}
